-- takeIn: what letters on children change in the books of their parent.
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
  for key, result in pairs(changed) do
    local k, entry = #kept, entries[key]
    if entry then
      packed[entry] = packed[entry] or cmsgpack.pack(entry)
      kept[k + 1], kept[k + 2] = key, packed[entry] .. result
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
