-- endJobs: what becomes of the accepted jobs. `bare`: no job of the queue has more than its record, so that nothing else
-- has to be looked up or removed.
local done, results, bare = {}, '', false

if accepted > 0 then
  bare = redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0
  redis.call('ZREM', active, unpack(ids))
  if redis.call('HDEL', run, unpack(ids)) < accepted then
    -- include shared/count-once.lua
  end
end

if accepted > 0 and isPlain and bare and ARGV[13] == '0' then
  redis.call('HDEL', job, unpack(ids))
  done, results = ids, table.concat(payloads)
elseif accepted > 0 then
  local told, forgotten, kept = {}, {}, {}
  -- include shared/place.lua
  -- include shared/wake.lua
  -- include shared/history.lua
  -- include shared/forget.lua
  -- include shared/trim.lua
  -- include shared/release.lua
  -- include shared/outcomes.lua
  local tellHere
  if ARGV[14] ~= '' then
    -- include shared/tell-here.lua
  end
  -- Backwards, so that jobs that go back to the front keep their order.
  for i = accepted, 1, -1 do
    if kinds[i] == 5 then putBack(ids[i], 0, false)
    elseif kinds[i] == 6 then putBack(ids[i], payloads[i][1], true) end
  end
  for i = 1, accepted do
    local id, kind, payload = ids[i], kinds[i], payloads[i]
    if kind <= 2 then
      local result = kind == 2 and payload[1] or payload
      done[#done + 1], told[#told + 1] = id, result
      if kind == 0 then
        forgotten[#forgotten + 1] = id
      else
        local k = #kept
        kept[k + 1], kept[k + 2] = id, result
        if kind == 2 then redis.call('ZADD', expire, payload[2] < 0 and '+inf' or now + payload[2], id) end
      end
    elseif kind == 3 then fail(id, payload)
    elseif kind == 4 then retry(id, payload) end
  end
  if #kept > 0 then
    local scores = {}
    for i = 1, #kept, 2 do scores[i], scores[i + 1] = clock, kept[i] end
    redis.call('ZADD', completed, unpack(scores))
    redis.call('HSET', outcome, unpack(kept))
  end
  release(done, 'completed', told)
  release(buried, 'failed', buriedOutcomes)
  release(dropped, 'dropped', droppedOutcomes)
  forget(forgotten)
  forget(dropped)
  if #kept > 0 then trim(completed, tonumber(ARGV[9])) end
  if #buried > 0 then trim(failed, tonumber(ARGV[10])) end
  if tellHere then tellHere() end
  if ARGV[13] ~= '0' then
    -- include shared/measure.lua
    measure('c', #done, tonumber(ARGV[13]))
    measure('f', #buried + #dropped, tonumber(ARGV[13]))
  end
  results, bare = table.concat(told), false
  if #letters > 0 then mail = letters end
end
