-- forget-children: removes the books of parents that have been forgotten.
-- KEYS  orphans · children
-- ARGV  ids (MessagePack), and from `children` on a key for each
-- REPLY how many there were
-- COST  O(ids), at most 1,000; the books are freed in the background
local orphans = KEYS[1]

local count = 0
for i, id in ipairs(cmsgpack.unpack(ARGV[1])) do
  if redis.call('SREM', orphans, id) == 1 then
    redis.call('UNLINK', KEYS[1 + i])
    count = count + 1
  end
end
return count
