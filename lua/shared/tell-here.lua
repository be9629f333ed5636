-- tellHere: parents in this queue hear at once how their children ended, without a letter. `near` [prefix, queue, parent, …]
-- names them; the keys of their books stand behind the others, in this order.
-- include shared/hear.lua
local near, places, heard, order, told = cmsgpack.unpack(ARGV[14]), {}, {}, {}, {}
for i = 3, #near do places[near[i]] = i - 2 end
local name, writeLetter = near[1] .. ':' .. near[2] .. ':', write

write = function(id, known, ending, result)
  local parent, policy = known.pk[3], known.po or ''
  if not places[parent] or known.pk[1] ~= near[1] or known.pk[2] ~= near[2] then return writeLetter(id, known, ending, result) end
  local groups = heard[parent]
  if not groups then
    groups = {}
    heard[parent], order[#order + 1] = groups, parent
  end
  local last = groups[#groups]
  if not last or last[1] ~= ending or last[2] ~= policy then
    last = { ending, policy, time[1] * 1000000 + time[2], {} }
    groups[#groups + 1] = last
  end
  local children = last[4]
  children[#children + 1], children[#children + 2], told[#told + 1] = name .. id, result, id
end

tellHere = function()
  -- An older letter that has not arrived has nothing to say any more.
  if #told > 0 and redis.call('EXISTS', outbox) == 1 then redis.call('HDEL', outbox, unpack(told)) end
  for i = 1, #order do hear(KEYS[24 + places[order[i]]], order[i], heard[order[i]]) end
  returned = returned or ready
end
