-- enqueue: adds a batch of jobs, each into `wait` or `delayed`, with one outcome per item.
-- KEYS  meta · job · wait · delayed · active · state · history · progress · logs · sessions · dedup · pending · marker · events
-- ARGV  session · seq · plain · special · names
--       plain    MessagePack [id, record, …]: new ids made by the client, ascending, to the end of priority 0
--       special  MessagePack [[id, record, delayMs, priority, lifo, facts, dedup], …]: anything else; the id may exist.
--                facts is a packed map or ''; dedup is '' or [dedupId, ttlMs, extend, replace, keepLast, reschedule]
--       names    the names of all items in order (one if all are the same), one a line
-- REPLY now · one outcome per special item: '' added, or the id of the job that stands in its place
-- COST  O(items · log n), at most 1,000 items
local meta, job, wait, delayed, active, state, history, progress, logs, sessions, dedup, pending, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/sessions.lua
-- include shared/facts.lua
local notes = {}
-- include shared/deduplicate.lua

local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then return earlier end

local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
local plain, special = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
local ids, scores, outcomes = {}, {}, {}

-- Everything below writes. The first write is one that Redis refuses when it is out of memory or read-only,
-- so that a refusal leaves nothing half done.
if #plain > 0 then
  redis.call('HSET', job, unpack(plain))
  -- One score for the whole batch, as text: its ids ascend, and equal scores are ordered by id.
  local at = string.format('%.0f', tail(0))
  for i = 1, #plain, 2 do
    scores[i], scores[i + 1] = at, plain[i]
    ids[#ids + 1] = plain[i]
  end
  redis.call('ZADD', wait, unpack(scores))
end

-- Special jobs are placed together, with one command per set. A job with a deduplication rule has to see those before it.
local ready, soonest = #plain > 0, false
local placed, due, known = {}, {}, {}
local function place()
  if #known > 0 then redis.call('HSET', state, unpack(known)) end
  if #placed > 0 then redis.call('ZADD', wait, unpack(placed)) end
  if #due > 0 then
    redis.call('ZADD', delayed, unpack(due))
    local first = redis.call('ZRANGE', delayed, 0, 0)[1]
    for i = 2, #due, 2 do soonest = soonest or due[i] == first end
  end
  placed, due, known = {}, {}, {}
end

for i, item in ipairs(special) do
  local id, record, delayMs, priority, lifo, packed, rule = unpack(item)
  if rule ~= '' then place() end
  local standing = deduplicated(rule, id, item)
  if not standing and redis.call('HSETNX', job, id, record) == 0 then standing = id end
  outcomes[i] = standing or ''
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
      ready = true
    end
  end
end
place()

if not settings[1] and (ready or soonest) then wake() end
local reply = { now, unpack(outcomes) }
settled(session, seq, reply)
publish(tonumber(settings[2] or 10000), #ids + #special, 'added', table.concat(ids, '\n'), 'names', ARGV[5],
  'moved', #notes > 0 and cmsgpack.pack(notes) or '')
return reply
