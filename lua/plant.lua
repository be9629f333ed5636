-- plant: makes jobs that wait for children, and enters children in the books of their parents. A child is entered before
-- it is added, so that its end is always expected. What is there already stays as it is.
-- KEYS  meta · job · state · parents · pending · orphans · events · children
-- ARGV  parents (MessagePack)
--       parents  MessagePack [[id, record, facts, name, children], …], and from `children` on a key for each.
--                record '': the job has to exist, in whatever state · facts a packed map or ''
--                children [child key, length of its prefix, of its queue, …], lengths as the client counts them
-- REPLY per parent: 1 planted, 0 it was there, -1 there is no such job
-- COST  O(children + parents · log n), at most 1,000 of each
local meta, job, state, parents, pending, orphans, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/tally.lua
-- include shared/enter.lua

-- The children that `books` does not know yet, as arguments for HSET. A child that is named twice is one child.
local function strangers(books, children)
  local keys, entries, seen, packed = {}, {}, {}, {}
  for i = 1, #children, 3 do keys[#keys + 1] = children[i] end
  local known = redis.call('EXISTS', books) == 1 and redis.call('HMGET', books, unpack(keys)) or {}
  for i, key in ipairs(keys) do
    if not known[i] and not seen[key] then
      local k, prefix, queue = #entries, children[3 * i - 1], children[3 * i]
      local entry = packed[queue]
      if not entry or entry[1] ~= prefix then
        entry = { prefix, cmsgpack.pack({ 'open', prefix, queue, 0 }) }
        packed[queue] = entry
      end
      seen[key], entries[k + 1], entries[k + 2] = true, key, entry[2]
    end
  end
  return entries
end

local flags, names, moved, known = {}, {}, {}, false
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, record, facts, name, children = unpack(item)
  local books = KEYS[7 + i]
  if record ~= '' and redis.call('HSETNX', job, id, record) == 1 then
    flags[i] = 1
    if facts ~= '' then redis.call('HSET', state, id, facts) end
    redis.call('ZADD', parents, now, id)
    names[#names + 1], moved[#moved + 1] = name, { 'waiting-children', id }
  else
    flags[i] = redis.call('HEXISTS', job, id) - 1
  end
  if flags[i] >= 0 then
    known = true
    -- The id may have belonged to a parent that was forgotten a moment ago.
    if redis.call('SREM', orphans, id) == 1 then redis.call('UNLINK', books) end
    local entries = #children > 0 and strangers(books, children) or {}
    if #entries > 0 then
      local tally = tallyOf(id) or newTally()
      tally.open = tally.open + #entries / 2
      enter(books, entries)
      keepTally(id, tally)
    end
  end
end
-- Written each time, so that a WAIT after a repeat waits for something; but for a parent that does not exist nothing is.
if known then redis.call('HSET', meta, 'flows', 1) end
if #moved > 0 then
  publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #moved, 'added', '', 'names', table.concat(names, '\n'), 'moved', cmsgpack.pack(moved))
end
return flags
