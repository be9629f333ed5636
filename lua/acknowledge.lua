-- acknowledge: takes letters that have arrived out of the outbox, unless a newer one has taken their place.
-- KEYS  outbox
-- ARGV  letters (MessagePack [child, head of its letter, …]: the stamp in the head tells it from others)
-- REPLY how many were taken out
-- COST  O(letters), at most 1,000
local outbox = KEYS[1]

local letters, ids, arrived = cmsgpack.unpack(ARGV[1]), {}, {}
for i = 1, #letters, 2 do ids[#ids + 1] = letters[i] end
for i, stored in ipairs(redis.call('HMGET', outbox, unpack(ids))) do
  local head = letters[2 * i]
  if stored and stored:sub(1, #head) == head then arrived[#arrived + 1] = ids[i] end
end
return #arrived > 0 and redis.call('HDEL', outbox, unpack(arrived)) or 0
