-- publish: one stream entry per call with everything that changed. `limit` bounds the stream by events, not by
-- entries: a call that carries `count` events leaves room for limit / count entries like it.
local function publish(limit, count, ...)
  if limit == 0 then return end
  if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
  redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
