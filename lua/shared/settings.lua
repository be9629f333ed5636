-- settings: what is set for the queue, and whether a pause or a limit has to be looked at before a job starts: then only a whole take decides.
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents', 'limitedTill', 'concurrency', 'max')
local isLimited = settings[1] or settings[4] or settings[5] or (tonumber(settings[3]) or 0) > now
