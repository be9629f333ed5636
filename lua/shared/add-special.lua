-- addSpecial: jobs whose ids may exist, or that a deduplication rule may keep out. They are placed together, with one
-- command per set; but a job with a rule has to see those before it.
-- include shared/wake.lua
-- include shared/facts.lua
-- include shared/deduplicate.lua
local placed, due, known = {}, {}, {}
local function place()
  putDown(placed, due, known)
  placed, due, known = {}, {}, {}
end

for i, item in ipairs(cmsgpack.unpack(ARGV[6])) do
  item[2] = ARGV[item[2]] or item[2]
  local id, record, delayMs, priority, lifo, packed, rule = unpack(item)
  count = i
  if rule ~= '' then place() end
  local standing = deduplicated(rule, id, item)
  if not standing and redis.call('HSETNX', job, id, record) == 0 then standing = id end
  reply[i + 1] = standing or ''
  if standing then
    notes[#notes + 1] = { standing == id and 'duplicated' or 'deduplicated', standing, id, rule ~= '' and rule[1] or '' }
  else
    if packed ~= '' then known[#known + 1], known[#known + 2] = id, packed end
    if delayMs > 0 then
      due[#due + 1], due[#due + 2] = now + delayMs, id
      notes[#notes + 1] = { 'delayed', id, now + delayMs }
    else
      placed[#placed + 1], placed[#placed + 2] = lifo == 1 and head(priority) or tail(priority), id
      notes[#notes + 1] = { 'waiting', id }
    end
  end
end
place()
