--[[ clamd's verdict on everything that somebody could find in a message. One of three symbols, or the message is not
taken (local.d/force_actions.conf): CLAM_CLEAN; CLAM_VIRUS, rejected; CLAM_UNSCANNABLE (an archive that is encrypted,
too deep, too large or of a kind that clamd can't open), held.

clamd guesses what a file is from its first bytes, and looks inside accordingly. A message's first bytes are its
sender's choice: a header line "BM: 1" makes it a picture. So clamd gets a tar archive, whose first bytes are ours:
the message, behind a line that makes it mail for clamd; each part as rspamd decodes it; each text in Unicode, with and
without its markup; and what is encoded where no header that rspamd knows says so. rspamd's own module (antivirus) sends
either the message or the parts, leaves some parts out, and takes a message for clean that it could not send. ]]
local decoders = require "mail_decoders"
local rspamd_text = require "rspamd_text"
local rspamd_util = require "rspamd_util"
local tcp = require "rspamd_tcp"

local LIMIT = 64 * 1024 * 1024 -- StreamMaxLength and MaxFileSize in /etc/clamav/clamd.conf
local TIMEOUT = 52.0 -- seconds; MaxScanTime there is less, task_timeout (local.d/options.inc) more
local BLOCK = 512 -- tar(5)

local LARGE = 64 * 1024
local DEPTH = 4 -- base64 in base64, and so on

-- What clamd says of what it can't look into: its own words, and those of /var/lib/clamav/unscannable.*
local UNSCANNABLE = { "^Heuristics%.Limits%.", "^Heuristics%.Encrypted%.", "^Heuristics%.Unscannable%." }

local function tar_header(name, size)
  local zeros = function(count) return ("\0"):rep(count) end
  local start = name .. zeros(100 - #name) .. "0000644\0" .. "0000000\0" .. "0000000\0"
      .. string.format("%011o\0", size) .. "00000000000\0"
  local rest = "0" .. zeros(100) .. "ustar\0" .. "00" .. zeros(247)
  local sum = 8 * 32 -- the sum's own field counts as blanks
  for _, text in ipairs({ start, rest }) do
    for at = 1, #text do sum = sum + text:byte(at) end
  end
  return start .. string.format("%06o\0 ", sum) .. rest
end

-- Collects files as pieces of a tar archive.
local function new_archive()
  local pieces, seen, files, size = {}, {}, 0, 2 * BLOCK
  local archive = {}

  -- Adds a file; returns false when it is empty or there already.
  function archive.add(content)
    if #content == 0 or seen[content] then return false end
    seen[content] = true
    files = files + 1
    table.insert(pieces, tar_header("file" .. files, #content))
    table.insert(pieces, content)
    table.insert(pieces, ("\0"):rep(-#content % BLOCK))
    size = size + BLOCK + #content + -#content % BLOCK
    return true
  end

  function archive.size() return size end

  function archive.text()
    table.insert(pieces, ("\0"):rep(2 * BLOCK))
    return rspamd_text.fromtable(pieces)
  end

  return archive
end

-- The message without large parts of plain base64: these are scanned decoded, and all the bytes once more would double
-- the time of a large message. What occurs twice stays: one of the two might be in another part.
local function without_base64(message, parts)
  local cuts, pieces, from = {}, {}, 1
  for _, part in ipairs(parts) do
    local raw = part:get_cte() == "base64" and tostring(part:get_raw_content()) or ""
    if #raw > LARGE and decoders.is_plain_base64(raw) then
      local first, last = message:find(raw, 1, true)
      if first and not message:find(raw, first + 1, true) then table.insert(cuts, { first = first, last = last }) end
    end
  end
  table.sort(cuts, function(one, other) return one.first < other.first end)
  for _, cut in ipairs(cuts) do
    if cut.first >= from then
      table.insert(pieces, message:sub(from, cut.first - 1))
      from = cut.last + 1
    end
  end
  table.insert(pieces, message:sub(from))
  return table.concat(pieces)
end

-- Adds what is encoded in `content`, and what is encoded in that. Returns false when there is more than DEPTH times.
local function add_hidden(archive, content, depth)
  for _, found in ipairs(decoders.hidden(content)) do
    if archive.size() > LIMIT then return true end
    if archive.add(found) then
      if depth == DEPTH or not add_hidden(archive, found, depth + 1) then return false end
    end
  end
  return true
end

-- The readings of a part in the encodings that its headers name: rspamd takes one, another program another.
local function readings(part)
  local found, raw = {}, tostring(part:get_raw_content())
  for _, header in ipairs(part:get_header_full("Content-Transfer-Encoding") or {}) do
    local coding = tostring(header.value):lower()
    local decode = coding:find("64", 1, true) and not decoders.is_plain_base64(raw) and decoders.base64
        or coding:find("q", 1, true) and decoders.quoted_printable
    for _, text in ipairs(decode and decode(raw) or {}) do table.insert(found, text) end
  end
  return found
end

-- Adds a part that has no parts; returns what of it is not in the message as it is.
local function add_leaf(archive, part)
  local content, decoded = tostring(part:get_content()), readings(part)
  archive.add(content)
  if content ~= tostring(part:get_raw_content()) then table.insert(decoded, content) end
  local text = part:is_text() and part:get_text()
  if text then
    archive.add(tostring(text:get_content("raw_utf")))
    if text:is_html() then archive.add(tostring(text:get_content("content"))) end
  end
  for _, zip in ipairs(decoders.zips_behind(content)) do archive.add(zip) end
  return decoded
end

local function everything_in(task)
  local archive, leaves, texts = new_archive(), {}, {}
  for _, part in ipairs(task:get_parts() or {}) do
    local kind, subtype = part:get_type()
    if kind == "message" and subtype == "partial" then -- RFC 2046, section 5.2.2: the rest comes in other messages
      task:insert_result("CLAM_UNSCANNABLE", 1.0, "message/partial")
    end
    if #(part:get_children() or {}) == 0 then -- what has children is in them
      table.insert(leaves, part)
      for _, decoded in ipairs(add_leaf(archive, part)) do table.insert(texts, decoded) end
    end
  end
  local rest = without_base64(tostring(task:get_content()), leaves)
  archive.add("Received: by the filter\r\n" .. rest)
  table.insert(texts, rest)
  for at, text in ipairs(texts) do
    if at < #texts then
      archive.add(text)
      if text:find("Content-", 1, true) then archive.add("Received: by the filter\r\n" .. text) end
    end
    if not add_hidden(archive, text, 1) then
      task:insert_result("CLAM_UNSCANNABLE", 1.0, "encoded too many times")
    end
  end
  return archive
end

local function judge(task, answer)
  local name = answer:match("^stream: (.+) FOUND$")
  if answer == "stream: OK" then
    task:insert_result("CLAM_CLEAN", 1.0)
  elseif not name then
    task:insert_result("CLAM_FAIL", 1.0, answer)
  else
    for _, pattern in ipairs(UNSCANNABLE) do
      if name:find(pattern) then
        task:insert_result("CLAM_UNSCANNABLE", 1.0, name)
        return
      end
    end
    task:insert_result("CLAM_VIRUS", 1.0, name)
    task:set_pre_result { action = "reject", message = "virus found: " .. name, module = "clamd" }
  end
end

local function scan(task)
  local archive = everything_in(task)
  if archive.size() > LIMIT then
    task:insert_result("CLAM_UNSCANNABLE", 1.0, "too large")
    return
  end
  local sent = tcp.request {
    task = task,
    host = "127.0.0.1",
    port = 3310,
    timeout = TIMEOUT,
    stop_pattern = "\0",
    data = {
      rspamd_util.pack("c9 c1 >I4", "zINSTREAM", "\0", archive.size()),
      archive.text(),
      rspamd_util.pack(">I4", 0),
    },
    callback = function(err, data)
      judge(task, err and tostring(err) or tostring(data):gsub("%z", ""))
    end,
  }
  if not sent then task:insert_result("CLAM_FAIL", 1.0, "no connection") end
end

local id = rspamd_config:register_symbol { name = "CLAMD", type = "callback", group = "maillab", callback = scan }
for _, name in ipairs({ "CLAM_CLEAN", "CLAM_VIRUS", "CLAM_UNSCANNABLE", "CLAM_FAIL" }) do
  rspamd_config:register_symbol { name = name, type = "virtual", parent = id, group = "maillab", score = 0.0 }
end
