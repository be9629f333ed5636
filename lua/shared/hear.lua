-- hear: what becomes of a parent that hears how children ended.
-- include shared/facts.lua
-- include shared/place.lua
-- include shared/tally.lua
-- include shared/take-in.lua
local ready = false -- somebody is to be woken for a parent

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

-- Enters `groups` of letters in the books of a parent; without any it only goes on if nothing keeps it. Answers how many counted.
local function hear(books, id, groups)
  local tally = tallyOf(id)
  if not tally then
    if #groups == 0 then goOn(id, true) end
    return 0
  end
  local counted, reason, hurry = takeIn(books, groups, tally)
  if counted > 0 then keepTally(id, tally) end
  if reason then failLater(id, reason)
  elseif (counted > 0 or #groups == 0) and (hurry or not waits(tally)) then goOn(id, not hurry) end
  return counted
end
