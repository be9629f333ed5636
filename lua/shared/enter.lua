-- enter: HSET for many fields of a hash that may be new. Redis keeps a small hash in one block of memory, in which every
-- lookup is a scan of up to 128 entries. A value too long for such a block, there for a moment, makes it a real one at once.
local function enter(hash, fields)
  local size = #fields
  if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
  fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
  redis.call('HSET', hash, unpack(fields))
  redis.call('HDEL', hash, '')
end
