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

local afterFailure = { fail = 'failed', continue = 'ignored', ignore = 'ignored', remove = 'gone' }

-- What a letter makes of a child that is in its parent's books as `kind`; nil for nothing.
local function verdict(kind, ending, policy)
  local awaited = kind == 'open' or kind == 'failing'
  if ending == 'completed' then return kind ~= 'completed' and 'completed' or nil end
  if ending == 'failed' then return kind ~= 'completed' and (afterFailure[policy] or 'failing') or nil end
  if ending == 'retried' then return 'open' end
  if ending == 'removed' then return awaited and 'gone' or nil end
  if kind == 'failing' then return 'gone' end
  return awaited and 'failed' or nil
end

-- The entries of these children, unpacked, by their keys. Siblings that have not ended share one, so none is changed in place.
local function read(books, groups)
  local keys, entries, same = {}, {}, {}
  for _, group in ipairs(groups) do
    local letters = group[4]
    for i = 1, #letters, 2 do keys[#keys + 1] = letters[i] end
  end
  for i, value in ipairs(redis.call('HMGET', books, unpack(keys))) do
    if value then
      same[value] = same[value] or readEntry(value)
      entries[keys[i]] = same[value]
    end
  end
  return entries
end

-- Writes down what has changed.
local function enterAll(books, changed, entries)
  local kept, gone, packed = {}, {}, {}
  for key, outcome in pairs(changed) do
    local k, entry = #kept, entries[key]
    if entry then
      packed[entry] = packed[entry] or cmsgpack.pack(entry)
      kept[k + 1], kept[k + 2] = key, packed[entry] .. outcome
    else gone[#gone + 1] = key end
  end
  if #kept > 0 then redis.call('HSET', books, unpack(kept)) end
  if #gone > 0 then redis.call('HDEL', books, unpack(gone)) end
end

-- Takes in the letters to one parent. Answers how many counted, why it fails (if it does), and whether it runs at once.
local function takeIn(books, groups, tally)
  if #groups == 0 then return 0 end
  local entries, changed, counted, reason, hurry = read(books, groups), {}, 0, nil, false
  for _, group in ipairs(groups) do
    local ending, policy, stamp, letters = unpack(group)
    local made = {} -- what came of an entry: siblings that were alike are so again
    for i = 1, #letters, 2 do
      local key = letters[i]
      local entry = entries[key]
      local kind = entry and (stamp == 0 or stamp > entry[4]) and verdict(entry[1], ending, policy)
      if kind then
        counted, changed[key] = counted + 1, letters[i + 1]
        tally[entry[1]] = tally[entry[1]] - 1
        if kind == 'gone' then
          entries[key] = nil
        else
          tally[kind] = tally[kind] + 1
          made[entry] = made[entry] or { kind, entry[2], entry[3], math.max(stamp, entry[4]) }
          entries[key] = made[entry]
        end
        if kind == 'failed' then reason = reason or 'child ' .. key .. (ending == 'lost' and ' is missing' or ' failed') end
        hurry = hurry or (ending == 'failed' and policy == 'continue')
      end
    end
  end
  enterAll(books, changed, entries)
  return counted, reason, hurry
end

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
