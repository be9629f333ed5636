-- addFresh: jobs whose ids nobody has yet, each with its delay or priority: one command per set and column.
local fresh = cmsgpack.unpack(ARGV[5])
local records, placed, due, known, waiting, texts = {}, {}, {}, {}, {}, {}

-- A number as text, formatted once: many jobs of a call have the same delay or priority.
local function textOf(kind, key, value)
  local cached = texts[kind][key]
  if not cached then
    cached = string.format('%.0f', value or tail(key))
    texts[kind][key] = cached
  end
  return cached
end
texts.due, texts.place = {}, {}

for i = 1, #fresh, 6 do
  local id, delayMs, priority, packed = fresh[i], fresh[i + 2], fresh[i + 3], fresh[i + 5]
  count = count + 1
  records[2 * count - 1], records[2 * count] = id, fresh[i + 1]
  if packed ~= '' then
    local k = #known
    known[k + 1], known[k + 2] = id, packed
  end
  if delayMs > 0 then
    local k = #due
    due[k + 1], due[k + 2] = textOf('due', delayMs, now + delayMs), id
    notes[#notes + 1] = { 'delayed', id, now + delayMs }
  else
    local k = #placed
    -- Jobs behind each other share a score, as their ids ascend; jobs in front of each other cannot.
    placed[k + 1], placed[k + 2] = fresh[i + 4] == 1 and head(priority) or textOf('place', priority), id
    waiting[#waiting + 1] = id
  end
end

redis.call('HSET', job, unpack(records))
if #known > 0 then redis.call('HSET', state, unpack(known)) end
if #placed > 0 then
  redis.call('ZADD', wait, unpack(placed))
  added, ready = table.concat(waiting, '\n'), true
end
if #due > 0 then
  redis.call('ZADD', delayed, unpack(due))
  local first = redis.call('ZRANGE', delayed, 0, 0)[1]
  for i = 2, #due, 2 do ready = ready or due[i] == first end
end
