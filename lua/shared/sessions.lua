-- sessions: safe repeats. A session has one call under way at a time and numbers its calls; its last reply is kept,
-- so a call that is sent again (its reply was lost) changes nothing and is answered the same.
local function replayed(session, seq)
  local last = redis.call('HGET', sessions, session)
  if not last then return false end
  -- An array of three: behind its head of one byte stands the number of the call, which alone is read as a rule.
  local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
  -- Something else wrote it: the session starts anew.
  if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
  if known < tonumber(seq) then return false end
  if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
  -- A write, so that a WAIT after a repeat waits for something; and one before it that Redis allows when out of memory.
  redis.call('HDEL', sessions, '')
  redis.call('HSET', sessions, session, last)
  local whole, call = pcall(cmsgpack.unpack, last)
  return whole and type(call) == 'table' and call[3] or false
end

local function settled(session, seq, reply)
  redis.call('HSET', sessions, session, '\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
