-- addFresh: jobs whose ids nobody has yet, each with its delay or priority: one command per set and column.
local fresh = cmsgpack.unpack(ARGV[5])
local records, placed, due, known, waiting = {}, {}, {}, {}, {}
-- Numbers as text, formatted once: many jobs of a call have the same delay or priority.
local dueTexts, placeTexts = {}, {}

for i = 1, #fresh, 6 do
  local id, delayMs, priority, packed = fresh[i], fresh[i + 2], fresh[i + 3], fresh[i + 5]
  count = count + 1
  records[2 * count - 1], records[2 * count] = id, ARGV[fresh[i + 1]] or fresh[i + 1]
  if packed ~= '' then
    local k = #known
    known[k + 1], known[k + 2] = id, packed
  end
  if delayMs > 0 then
    local k = #due
    dueTexts[delayMs] = dueTexts[delayMs] or string.format('%.0f', now + delayMs)
    due[k + 1], due[k + 2] = dueTexts[delayMs], id
    notes[#notes + 1] = { 'delayed', id, now + delayMs }
  else
    local k = #placed
    local isFirst = fresh[i + 4] == 1
    -- Jobs behind each other share a score, as their ids ascend; jobs in front of each other cannot.
    if not isFirst then placeTexts[priority] = placeTexts[priority] or string.format('%.0f', tail(priority)) end
    placed[k + 1], placed[k + 2] = isFirst and head(priority) or placeTexts[priority], id
    waiting[#waiting + 1] = id
  end
end

redis.call('HSET', job, unpack(records))
putDown(placed, due, known)
added = table.concat(waiting, '\n')
