-- putDown: new jobs into their sets, with one command per set, and what is known of them. `placed` and `due` are arguments
-- for ZADD, `known` for HSET. `ready` when a worker has something to do now, or something that is due before all else.
local function putDown(placed, due, known)
  if #known > 0 then redis.call('HSET', state, unpack(known)) end
  if #placed > 0 then
    redis.call('ZADD', wait, unpack(placed))
    ready = true
  end
  if #due > 0 then
    redis.call('ZADD', delayed, unpack(due))
    local first = redis.call('ZRANGE', delayed, 0, 0)[1]
    for i = 2, #due, 2 do ready = ready or due[i] == first end
  end
end
