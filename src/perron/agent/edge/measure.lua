-- Counts the bytes of a body that does not say how long it is, and ends what passes max_body.
-- What the app may accept is in txn.max; the page shown is read from the folder given.

local folder = ...
local pages = {}

local function read(name)
  local file = assert(io.open(folder .. "/" .. name, "r"))
  local text = file:read("a")
  file:close()
  return text
end

for form, kind in pairs({ html = "text/html", json = "application/problem+json" }) do
  pages[form] = { kind = kind, text = read("413." .. form):gsub("%%%%", "%%") }
end

local Measure = { id = "measure", flags = filter.FLT_CFG_FL_HTX }
Measure.__index = Measure

function Measure:new()
  return setmetatable({ seen = 0, over = false }, Measure)
end

function Measure:start_analyze(txn, channel)
  if not channel:is_resp() then
    filter.register_data_filter(self, channel)
  end
end

local function refuse(txn)
  local page = pages[txn:get_var("txn.format") or "html"]
  local id = txn:get_var("txn.id") or ""
  local reply = txn:reply({ status = 413, reason = "Payload Too Large" })
  reply:add_header("content-type", page.kind)
  reply:add_header("cache-control", "no-store")
  reply:add_header("x-request-id", id)
  reply:set_body((page.text:gsub("%%%[var%(txn%.id%)%]", function() return id end)))
  txn:set_var("txn.shown", "413")
  txn:done(reply)
end

function Measure:http_payload(txn, message)
  if self.over then -- asked once more for what was not led on: a second page would undo the first
    return
  end
  -- The mark of a body's end is counted as one byte.
  self.seen = self.seen + message:input() - (message:eom() and 1 or 0)
  local limit = math.tointeger(tonumber(txn:get_var("txn.max") or ""))
  if limit and self.seen > limit then
    self.over = true
    refuse(txn)
  end
end

core.register_filter("measure", Measure, function(measure) return measure end)
