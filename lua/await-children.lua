-- await-children: lets an active job wait for its children, if there are any to wait for. Not an attempt.
-- KEYS  meta · active · parents · run · state · pending · events · children
-- ARGV  id · lease · child ('' for any): the key of the one child to wait for
-- REPLY 1 it waits, 0 there is nothing to wait for, -1 the lease is lost, or why the job is to fail
-- COST  O(log n)
local meta, active, parents, run, state, pending, events, children =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/tally.lua
-- include shared/typed.lua

local id, child = ARGV[1], ARGV[3]
if redis.call('HGET', run, id) ~= ARGV[2] then
  -- The reply to this call may have been lost: the job waits already.
  return redis.call('ZSCORE', parents, id) and 1 or -1
end
local known, tally = facts(id), tallyOf(id)
if known.df then return known.df end
if not (tally and waits(tally)) then return 0 end
if child ~= '' then
  local entry = readEntry(redis.call('HGET', children, child))
  if not entry or (entry[1] ~= 'open' and entry[1] ~= 'failing') then return 0 end
end
typed({ meta }, { active, parents }, events)
redis.call('ZREM', active, id)
redis.call('HDEL', run, id)
redis.call('ZADD', parents, now, id)
known.as, known.su = (known.as or 0) + 1, nil
remember(id, known)
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1,
  'moved', cmsgpack.pack({ { 'waiting-children', id, 'active' } }))
return 1
