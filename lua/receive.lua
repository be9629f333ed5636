-- receive: takes in letters on how children ended, and lets their parents go on. A letter that was taken in before, or
-- that a newer one has overtaken, changes nothing.
-- KEYS  meta · wait · delayed · parents · completed · failed · state · pending · marker · events · children
-- ARGV  mail
--       mail  MessagePack [[parent, [[ending, policy, stamp, [child key, outcome, …]], …]], …], and from `children` on a key each.
--             ending  completed, failed, retried, removed, or lost: nobody knows the child any more
--             policy  what a failure means: fail, continue, ignore, remove, or '' for: the parent waits on
--             stamp   of the letter, or 0: whatever came before
--       A parent without letters is looked after: it goes on if nothing keeps it.
-- REPLY how many letters made a difference
-- COST  O(letters + parents · log n), at most 1,000 of each
local meta, wait, delayed, parents, completed, failed, state, pending, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/tally.lua
-- include shared/take-in.lua

local moved, ready, total = {}, false, 0

-- A flow that has begun ends before others begin: a parent goes to the front of its priority.
local function toWait(id, known)
  redis.call('ZADD', wait, head(known.pr or 0), id)
  moved[#moved + 1], ready = { 'waiting', id, 'waiting-children' }, true
end

local function failLater(id, reason)
  if redis.call('ZSCORE', completed, id) or redis.call('ZSCORE', failed, id) then return end
  local known = facts(id)
  known.df = known.df or reason
  if redis.call('ZREM', parents, id) + redis.call('ZREM', delayed, id) > 0 then
    known.pd = nil
    toWait(id, known)
  end
  remember(id, known)
end

local function goOn(id, delays)
  if redis.call('ZREM', parents, id) == 0 then return end
  local known = facts(id)
  if not (known.pd and delays) then return toWait(id, known) end
  local due = now + known.pd
  known.pd = nil
  remember(id, known)
  redis.call('ZADD', delayed, due, id)
  moved[#moved + 1], ready = { 'delayed', id, due }, ready or redis.call('ZRANK', delayed, id) == 0
end

for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, groups, tally = item[1], item[2], tallyOf(item[1])
  if tally then
    local counted, reason, hurry = takeIn(KEYS[10 + i], groups, tally)
    if counted > 0 then keepTally(id, tally) end
    total = total + counted
    if reason then failLater(id, reason)
    elseif (counted > 0 or #groups == 0) and (hurry or not waits(tally)) then goOn(id, not hurry) end
  elseif #groups == 0 then goOn(id, true) end
end
if #moved > 0 then
  local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
  if ready and not settings[1] then wake() end
  publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return total
