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
-- include shared/wake.lua
-- include shared/publish.lua
local moved, total = {}, 0
-- include shared/hear.lua

for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
  total = total + hear(KEYS[10 + i], item[1], item[2])
end
if #moved > 0 then
  local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
  if ready and not settings[1] then wake() end
  publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return total
