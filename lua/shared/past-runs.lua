-- pastRuns: what is known of a schedule's runs: { count, last = the latest one's id, trace = what they go on }.
local function pastRuns(id)
  local readable, past = pcall(cmsgpack.unpack, redis.call('HGET', scheduleRuns, id) or '')
  if readable and type(past) == 'table' and type(past.count) == 'number' then return past end
  return { count = 0 }
end
