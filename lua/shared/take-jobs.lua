-- takeJobs: hands out up to `wanted` waiting jobs under one lease, as far as pause and limits allow.
local token = ARGV[4] ~= '' and ARGV[4] or session .. ':' .. seq
local lease = token .. '|' .. clock
local count, joined, records, states, missing, waitMs = 0, '', '', '', '', 0
local limitedTill, concurrency, max, room = tonumber(raw[2]) or 0, tonumber(raw[3]), tonumber(raw[5] and raw[4]) or tonumber(ARGV[7]), wanted
if wanted > 0 then
  if raw[1] then room, waitMs = 0, -1
  elseif limitedTill > now then room, waitMs = 0, limitedTill - now
  elseif concurrency or max > 0 then
    room = wanted - tonumber(ARGV[12])
    if concurrency then room = math.min(room, concurrency - redis.call('ZCARD', active)) end
    if room > 0 and max > 0 then
      -- include shared/allowance.lua
      room = math.min(room, left)
    end
    if room <= 0 and waitMs == 0 then waitMs = -1 end
  end
end

-- One more than may be taken, to know whether more is left.
local fresh = room > 0 and redis.call('ZRANGE', wait, '0', room) or {}
local isMore = room > 0 and #fresh > room
if isMore then fresh[#fresh] = nil end
if #fresh > 0 then
  local heavy = false
  if raw[9] then
    -- include shared/weigh.lua
  end
  local found = heavy or redis.call('HMGET', job, unpack(fresh))
  redis.call('ZREMRANGEBYRANK', wait, '0', #fresh - 1)
  local deadline = string.format('%.0f', now + tonumber(ARGV[6])) -- as text: a number would be formatted anew for every job
  local deadlines, leases, lost, size = {}, {}, {}, 0
  for i = 1, #fresh do
    local id, record = fresh[i], found[i]
    if record then
      count = count + 1
      fresh[count], found[count], size = id, record, size + #record
      local k = 2 * count
      deadlines[k - 1], deadlines[k], leases[k - 1], leases[k] = deadline, id, id, lease
    else
      lost[#lost + 1] = id
    end
  end
  if #lost > 0 then
    for i = #fresh, count + 1, -1 do fresh[i], found[i] = nil, nil end
    missing = table.concat(lost, '\n')
  end
  if count > 0 then
    local wide = false
    if count >= 8 then
      -- include shared/widen.lua
    end
    redis.call('ZADD', active, unpack(deadlines))
    if wide then redis.call('ZREM', active, wide) end
    redis.call('HSET', run, unpack(leases))
    joined = table.concat(fresh, '\n')
    -- What is large is not copied once more to be put in a row.
    records = heavy and 1 or size > 65536 and found or table.concat(found)
    if not bare and redis.call('EXISTS', state) == 1 then states = redis.call('HMGET', state, unpack(fresh)) end
    if max > 0 then
      redis.call('RPUSH', rate, clock .. ' ' .. count)
      if type(redis.pcall('HINCRBY', meta, 'rateCount', count)) ~= 'number' then redis.call('HSET', meta, 'rateCount', count) end
    end
  end
end
