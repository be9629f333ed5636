-- retake: the last call of a worker's session again: the jobs it was given that it still holds, and nothing else.
if type(earlier) == 'table' and (earlier.err or type(earlier[3]) == 'string') then
  if earlier.err then return earlier end
  local lease, ids, records, states = earlier[2], {}, {}, {}
  for id in earlier[3]:gmatch('[^\n]+') do
    local record = redis.call('HGET', run, id) == lease and redis.call('HGET', job, id)
    if record then
      ids[#ids + 1], records[#records + 1], states[#states + 1] = id, record, redis.call('HGET', state, id)
    end
  end
  return { now, lease, table.concat(ids, '\n'), records, 0, 0, 0,
    { earlier[1], earlier[4], '', states, '', redis.call('HEXISTS', meta, 'flows') } }
end
