-- outcomes: what becomes of a job that its holder gives up, one function per ending.
local buried, buriedOutcomes, dropped, droppedOutcomes = {}, {}, {}, {}
local function fail(id, payload)
  local known = facts(id)
  known.am, known.as, known.su = payload[2], (known.as or 0) + 1, nil
  moved[#moved + 1] = { 'failed', id, payload[1], payload[5] == 1 and known.am or nil }
  if payload[4] == 0 then
    dropped[#dropped + 1], droppedOutcomes[#droppedOutcomes + 1] = id, payload[1]
    return
  end
  buried[#buried + 1], buriedOutcomes[#buriedOutcomes + 1] = id, payload[1]
  remember(id, known)
  chronicle(id, payload[3])
  redis.call('ZADD', failed, now, id)
  redis.call('HSET', outcome, id, payload[1])
  if payload[4] then redis.call('ZADD', expire, payload[4] < 0 and '+inf' or now + payload[4], id) end
end

local function retry(id, payload)
  local known = facts(id)
  known.am, known.as, known.su = payload[2], (known.as or 0) + 1, nil
  remember(id, known)
  chronicle(id, payload[3])
  if payload[1] > 0 then
    redis.call('ZADD', delayed, now + payload[1], id)
    moved[#moved + 1] = { 'delayed', id, now + payload[1] }
  else
    redis.call('ZADD', wait, payload[4] == 1 and head(known.pr or 0) or tail(known.pr or 0), id)
    moved[#moved + 1] = { 'waiting', id, 'active' }
    returned = true
  end
end

local function putBack(id, dueAt, started)
  local known = facts(id)
  if started then
    known.as, known.su = (known.as or 0) + 1, nil
    if dueAt > now then known.mv = now end
    remember(id, known)
  end
  if dueAt > now then
    redis.call('ZADD', delayed, dueAt, id)
    moved[#moved + 1] = { 'delayed', id, dueAt }
  else
    redis.call('ZADD', wait, head(known.pr or 0), id)
    moved[#moved + 1] = { 'waiting', id, 'active' }
    returned = true
  end
end
