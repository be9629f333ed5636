-- typed: a key that something else has made one of another type is met here, by a read that Redis refuses, before
-- anything is written. Scripts that are called for every job do without it and read what they write first, where they can.
local function typed(hashes, sets, stream, members)
  for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
  for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
  if stream then redis.call('XLEN', stream) end
  if members then redis.call('SISMEMBER', members, '') end
end
