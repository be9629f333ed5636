-- inquire: asks after children that a parent still waits for. One that has ended and whose letter is gone writes anew.
-- KEYS  meta · job · completed · failed · state · outcome · outbox
-- ARGV  prefix · queue · parent · children (MessagePack [id, kind in the parent's books, stamp, …])
-- REPLY per child: 1 it will be heard of, 0 it is missing · letters [id, letter, …]
-- COST  O(children), at most 1,000
local meta, job, completed, failed, state, outcome, outbox =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
-- include shared/now.lua
-- include shared/facts.lua
-- include shared/letters.lua

local function isHere(id, parent)
  return redis.call('HEXISTS', job, id) == 1 and parent
    and parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end

local children, flags = cmsgpack.unpack(ARGV[4]), {}
for i = 1, #children, 3 do
  local id, kind, stamp = unpack(children, i, i + 2)
  local known = facts(id)
  local flag = 1
  if redis.call('HEXISTS', outbox, id) == 0 then
    if not isHere(id, known.pk) then flag = 0
    elseif redis.call('ZSCORE', completed, id) then write(id, known, 'completed', redis.call('HGET', outcome, id) or '', stamp)
    elseif kind == 'open' and redis.call('ZSCORE', failed, id) then
      write(id, known, 'failed', redis.call('HGET', outcome, id) or '', stamp)
    end
  end
  flags[#flags + 1] = flag
end
post()
return { flags, letters }
