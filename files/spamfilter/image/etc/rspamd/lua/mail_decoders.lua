--[[ What somebody's mail program could make of a text or of a file, beside what rspamd makes of it. Each function takes
a string and gives strings; programs differ in what they make of an encoding that is not quite right, so that one text
can have several readings. ]]
local rspamd_regexp = require "rspamd_regexp"
local rspamd_util = require "rspamd_util"

local decoders = {}

-- Lines of base64, without an empty line between them.
local BASE64 = rspamd_regexp.create([[/(?=[A-Za-z0-9+\/=\r\n]{60})(?:[A-Za-z0-9+\/=]++(?:\r?\n)?+)++/]])
local LARGE = 2 ^ 20
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- A digit of uuencode (blank to underscore; a grave accent is a blank) as one of base64; a byte of yEnc, which "="
-- makes safe, as it was.
local UU, YENC = {}, {}
for byte = 0, 255 do
  local digit = (byte - 32) % 64
  UU[string.char(byte)] = ALPHABET:sub(digit + 1, digit + 1)
  YENC[string.char(byte)] = string.char((byte - 42) % 256)
  YENC["=" .. string.char(byte)] = string.char((byte - 64 - 42) % 256)
end

local function decode_base64(letters) return tostring(rspamd_util.decode_base64(letters)) end

-- Whether all programs read it alike: lines of one length, nothing but base64 in them, "=" at the end alone.
function decoders.is_plain_base64(raw)
  if not raw:find("^[%w+/\r\n]+=?=?%s*$") then return false end
  local length, shorter = #raw:match("^[^\r\n]*"), false
  for line in raw:gmatch("[^\r\n]+") do
    if shorter or #line > length then return false end
    shorter = #line < length
  end
  return true
end

-- Programs pass over what is not base64, or take "-" and "_" for letters. An "=" ends a piece, and the next begins with
-- a whole byte (RFC 2045, section 6.8, forbids that); or it is passed over like other characters.
function decoders.base64(raw)
  local found = {}
  local function read(letters)
    table.insert(found, decode_base64((letters:gsub("=", ""))))
    if not letters:find("=%w") and not letters:find("=[+/]") then return end
    local pieces = {}
    for piece in letters:gmatch("[^=]+") do table.insert(pieces, decode_base64(piece)) end
    table.insert(found, table.concat(pieces))
  end
  read((raw:gsub("[^%w+/=]+", "")))
  if raw:find("[-_]") then read((raw:gsub("[-_]", { ["-"] = "+", _ = "/" }):gsub("[^%w+/=]+", ""))) end
  return found
end

-- A blank behind the "=" at a line's end was added on the way (RFC 2045, section 6.7, rule 3).
function decoders.quoted_printable(raw)
  return { tostring(rspamd_util.decode_qp((raw:gsub("=[ \t]+(\r?\n)", "=%1")))) }
end

local function uu_line(line)
  local data = decode_base64((line:sub(2):gsub(".", UU)))
  return data:sub(1, (line:byte() - 32) % 64)
end

local function yenc_line(line) return (line:gsub("=?.", YENC)) end

-- Whether it looks like a line of uuencode: as long as its first character says.
local function is_uu_line(line)
  local digits = math.ceil((line:byte() - 32) % 64 / 3) * 4
  return line:find("^[ -`]+$") and #line - 1 <= digits + 1 and #line - 1 >= digits - 3
end

-- The files in uuencode and yEnc that stand in a text, which mail programs show as attachments: { name, content, likely }
-- each. Not likely: "begin 2006 with" begins a sentence.
function decoders.files_in_text(text)
  local found = {}
  if not text:find("begin ", 1, true) then return found end
  local decode, pieces
  for line in text:gmatch("[^\r\n]+") do
    local uu_name = line:match("^begin%s+%d+%s*(.*)$")
    local yenc_name = line:match("^=ybegin .*name=(.*)$") or line:match("^=ybegin (.*)$")
    if uu_name or yenc_name then
      decode, pieces = uu_name and uu_line or yenc_line, {}
      table.insert(found, { name = uu_name or yenc_name, pieces = pieces, likely = yenc_name ~= nil })
    elseif line:find("^end%s*$") and decode == uu_line or line:find("^=yend") then
      decode = nil
    elseif decode and not line:find("^=ypart ") then
      table.insert(pieces, decode(line))
      if is_uu_line(line) then found[#found].likely = true end
    end
  end
  for _, file in ipairs(found) do file.content = table.concat(file.pieces) end
  return found
end

-- Zip files behind something else, or behind each other: programs find them from the end (APPNOTE.TXT, section 4.3.16),
-- and clamd finds the first.
function decoders.zips_behind(content)
  local found, from = {}, 1
  while true do
    local _, last = content:find("PK\5\6", from, true)
    if not last then return found end
    local first = content:find("PK\3\4", from, true)
    if first and first > 1 and first < last then table.insert(found, content:sub(first, last + 18 + 0xffff)) end
    from = last + 1
  end
end

-- Whether to look for base64 and quoted-printable in it: a large file that is no text has them by chance.
local function may_be_text(content) return #content <= LARGE or not content:find("%z") end

local function may_be_quoted(content)
  if #content > LARGE then return content:find("=%x%x=%x%x") end
  return content:find("=%x%x") or content:find("=[ \t]*\r?\n")
end

local function append(list, others)
  for _, one in ipairs(others) do table.insert(list, one) end
end

local function base64_in(content)
  local found = {}
  for _, text in ipairs(BASE64:search(content, true) or {}) do
    text = tostring(text)
    append(found, decoders.base64(text))
    -- Behind "begin-base64 644 a" the "a" looks like base64.
    local first, rest = text:match("^(%S+)%s+(.+)$")
    if first and #first % 4 > 0 then append(found, decoders.base64(rest)) end
  end
  return found
end

-- All that is encoded in `content`, whatever the header says of it.
function decoders.hidden(content)
  local found = decoders.zips_behind(content)
  if may_be_text(content) then
    append(found, base64_in(content))
    if may_be_quoted(content) then append(found, decoders.quoted_printable(content)) end
  end
  for _, file in ipairs(decoders.files_in_text(content)) do table.insert(found, file.content) end
  return found
end

return decoders
