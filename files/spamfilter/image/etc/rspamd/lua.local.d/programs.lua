--[[ PROGRAM_ATTACHED: an attachment that a computer would run, by its name, by its first bytes, or by its name in an
archive; or an archive whose names can't be read here (inside another archive, or split). Such mail is marked
(local.d/force_actions.conf). ]]
local decoders = require "mail_decoders"
local lua_util = require "lua_util"
local rspamd_util = require "rspamd_util"

local function set(words) return lua_util.list_to_hash(lua_util.str_split(words, " ")) end

-- What Windows, macOS and Linux run when somebody opens it, macros of Office among them.
local PROGRAMS = set("exe com scr pif bat cmd cpl dll drv ocx sys msi msp mst msu msix appx appinstaller lnk url scf reg inf " ..
  "vb vbe vbs js jse mjs wsf wsh wsc sct hta ps1 psm1 psd1 ps1xml ps2 psc1 msc msh gadget chm hlp jar jnlp class " ..
  "application appref-ms library-ms search-ms settingcontent-ms diagcab xll wll iqy slk rdp vhd vhdx " ..
  "docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm accde mde " ..
  "sh bash csh ksh zsh run bin elf so py pyc pyw pyz pyzw pl rb php app command dmg pkg workflow scpt apk ipa deb rpm appimage desktop")
-- Of what rspamd knows by its first bytes.
local DETECTED = set("exe elf class jar dll chm msi lnk swf apk")
local ARCHIVES = set("zip zipx 7z rar tar gz tgz bz2 tbz tbz2 xz txz zst lz lzma lz4 z cab arj ace lzh lha iso img udf wim cpio alz egg")
-- Compression of one file: the name before it says what it is.
local COMPRESSED = set("gz bz2 xz zst lz lzma lz4 z")

-- Blanks and dots that no eye sees at the end of a name: U+00A0, U+2000 to U+206F, U+3000, U+3002, U+FEFF, U+FF0E, U+FF61.
local UNSEEN = { "\194\160", "\226\128[\128-\191]", "\226\129[\128-\191]", "\227\128[\128\130]", "\239\187\191", "\239\188\142",
  "\239\189\161" }
local GZIP = "^\31\139\8"
local MOST = 2 ^ 20 -- of a compressed file, the beginning is enough

-- The extension that counts, in small letters: Windows drops blanks and dots at the end of a name.
local function extension(name)
  name = name:lower()
  for _, unseen in ipairs(UNSEEN) do name = name:gsub(unseen, " ") end
  return name:gsub("[%s%z.\"']+$", ""):match("%.([%w-]+)$") or ""
end

local function has_program_name(name, inside)
  local last = extension(name)
  -- Office's own: settings of a printer, an embedded object.
  if PROGRAMS[last] then return not (inside and last == "bin" and name:find("^%l+/%a+/%a+%d*%.bin$")) end
  if last:match("^%d%d%d$") or last:match("^[rz]%d%d$") then return true end -- .001, .r00, .z01: a part of an archive
  if name:find("%.{[%x-]+}%s*$") then return true end -- Windows takes a class's id for an extension
  if COMPRESSED[last] and PROGRAMS[extension(name:sub(1, -#last - 2))] then return true end
  return (inside or last == "tar" or last == "iso" or last == "img") and ARCHIVES[last] ~= nil
end

-- Whether a file of this name is one to be marked. `inside`: it is in an archive. Windows' file ends at ":" (what
-- follows is a stream of it), a C program's at a zero.
local function suspicious(name, inside)
  for piece in name:gmatch("[^:%z]+") do
    if has_program_name(piece, inside) then return true end
  end
  return false
end

-- "%2E" is a dot (RFC 2231); programs decode it in plain values too.
local function unescaped(value)
  return (value:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- All values of name and filename in a header, whichever of them a mail program prefers, and the pieces of a long one
-- (RFC 2231, section 3) put together.
local function names_in(header)
  local found, pieces = {}, {}
  header = ";" .. header:gsub("[\r\n]+", ""):gsub("\\(.)", "%1")
  for start, key, number, rest in header:gmatch("()([%w-]*[nN][aA][mM][eE])([*%d]*)%s*=%s*()") do
    if key:lower() == "name" or key:lower() == "filename" then
      for _, form in ipairs({ '^"([^"]*)', "^([^;]*)" }) do
        local value = header:sub(rest):match(form)
        if value then table.insert(found, unescaped(value)) end
      end
      local value = header:sub(rest):match('^"([^"]*)') or header:sub(rest):match("^[^;%s]*")
      if number:find("%d") then table.insert(pieces, { tonumber(number:match("%d+")), start, unescaped(value) }) end
    end
  end
  table.sort(pieces, function(one, other)
    if one[1] ~= other[1] then return one[1] < other[1] end
    return one[2] < other[2]
  end)
  local whole = {}
  for _, piece in ipairs(pieces) do table.insert(whole, piece[3]) end
  table.insert(found, table.concat(whole))
  return found
end

local function names_of(part)
  local names = { part:get_filename() }
  for _, title in ipairs({ "Content-Type", "Content-Disposition" }) do
    for _, header in ipairs(part:get_header_full(title) or {}) do
      for _, text in ipairs({ header.value, header.decoded }) do
        for _, name in ipairs(names_in(tostring(text))) do table.insert(names, name) end
      end
    end
  end
  for _, file in ipairs(decoders.files_in_text(tostring(part:get_content()))) do
    if file.likely then table.insert(names, file.name) end
  end
  return names
end

-- The names in zip files, wherever they begin, from each member's header and from the list (APPNOTE.TXT, 4.3.7 and 4.3.12).
local function names_in_zips(content)
  local names = {}
  if not content:find("PK\5\6", 1, true) then return names end
  for mark, offset in pairs({ ["PK\3\4"] = 26, ["PK\1\2"] = 28 }) do
    local start = content:find(mark, 1, true)
    while start do
      local low, high = content:byte(start + offset, start + offset + 1)
      local first = start + (offset == 26 and 30 or 46)
      if high then table.insert(names, content:sub(first, first + low + 256 * high - 1)) end
      start = content:find(mark, start + 4, true)
    end
  end
  return names
end

-- A compressed file need not say its name: a program, or a tar archive, whose names rspamd can't read there.
local function has_compressed_program(content)
  for _ = 1, 4 do
    if not content:find(GZIP) then break end
    content = tostring(rspamd_util.gzip_decompress(content, MOST) or "")
    if content:find("^MZ") or content:find("^\127ELF") or content:find("^#!")
        or content:sub(258, 262) == "ustar" then return true end
  end
  return false
end

-- Of one compressed file that says no name, rspamd gives the attachment's own.
local function is_own(name, part)
  local last = extension(name)
  return name == part:get_filename() and COMPRESSED[last] and not ARCHIVES[extension(name:sub(1, -#last - 2))]
end

local function look(task)
  local function mark(why) task:insert_result("PROGRAM_ATTACHED", 1.0, why) end
  local function check(names, inside)
    for _, name in ipairs(names) do
      if suspicious(name, inside) then mark(name) end
    end
  end
  for _, part in ipairs(task:get_parts() or {}) do
    local detected = part:get_detected_ext()
    if detected and DETECTED[detected] then mark(detected) end
    check(names_of(part), false)
    if part:is_archive() then
      for _, name in ipairs(part:get_archive():get_files(1000) or {}) do check({ name }, not is_own(name, part)) end
    end
    if #(part:get_children() or {}) == 0 then
      local content = tostring(part:get_content())
      check(names_in_zips(content), true)
      if has_compressed_program(content) then mark("compressed program") end
    end
  end
end

rspamd_config:register_symbol {
  name = "PROGRAM_ATTACHED",
  type = "normal",
  group = "maillab",
  score = 0.0,
  callback = look,
}
