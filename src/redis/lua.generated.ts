// Generated from lua/ by "npm run build"; do not edit.

export type ScriptName = 'acknowledge' | 'adopt' | 'appendLog' | 'awaitChildren' | 'clean' | 'counts' | 'enqueue' | 'fetch' | 'fireSchedule' | 'forgetChildren' | 'inquire' | 'inspectEvents' | 'pause' | 'plant' | 'promote' | 'publishEvents' | 'receive' | 'recover' | 'redrive' | 'removeSchedule' | 'remove' | 'renew' | 'reportProgress' | 'reprioritize' | 'reschedule' | 'settle' | 'sweep' | 'takeFirst' | 'transfer' | 'updateData' | 'upsertSchedule';

export const lua: Readonly<Record<ScriptName, string>> = {
  acknowledge: `local letters, ids, arrived = cmsgpack.unpack(ARGV[1]), {}, {}
for i = 1, #letters, 2 do ids[#ids + 1] = letters[i] end
for i, stored in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
local head = letters[2 * i]
if stored and stored:sub(1, #head) == head then arrived[#arrived + 1] = ids[i] end
end
return #arrived > 0 and redis.call('HDEL', KEYS[1], unpack(arrived)) or 0`,
  adopt: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[5], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[5], id) else redis.call('HSET', KEYS[5], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[7], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local function isHis(parent)
return parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end
typed({ KEYS[1], KEYS[5], KEYS[6], KEYS[7] }, { KEYS[3], KEYS[4] })
local flags = {}
for i, id in ipairs(cmsgpack.unpack(ARGV[5])) do
local known = facts(id)
if redis.call('HEXISTS', KEYS[2], id) == 0 then flags[i] = -1
elseif ARGV[3] == '' then
flags[i], known.pk, known.po = 1, nil, nil
remember(id, known)
elseif known.pk and not isHis(known.pk) then flags[i] = 0
else
flags[i] = 1
known.pk, known.po = { ARGV[1], ARGV[2], ARGV[3] }, ARGV[4] ~= '' and ARGV[4] or known.po
remember(id, known)
local result = redis.call('HGET', KEYS[6], id) or ''
if redis.call('ZSCORE', KEYS[3], id) then write(id, known, 'completed', result)
elseif redis.call('ZSCORE', KEYS[4], id) then write(id, known, 'failed', result) end
end
end
post()
return { flags, letters }`,
  appendLog: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[3], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[3], '')
redis.call('HSET', KEYS[3], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[3], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
if earlier then return earlier end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
local stored = redis.call('HGET', KEYS[2], ARGV[1])
local count, value, keep = 0, '', tonumber(ARGV[3])
if stored and #stored >= 4 then count, value = struct.unpack('>I4', stored), stored:sub(5) end
if ARGV[2] ~= '' then count, value = count + 1, value .. ARGV[2] end
local from = 0
while count > 0 and ((keep >= 0 and count > keep) or #value - from > 1048576) do
local readable, offset = pcall(cmsgpack.unpack_one, value, from)
if not readable or offset < 0 then from, count = #value, 0 break end
from, count = offset == 0 and #value or offset, count - 1
end
if from > 0 then value = value:sub(from + 1) end
if count == 0 then redis.call('HDEL', KEYS[2], ARGV[1]) else redis.call('HSET', KEYS[2], ARGV[1], struct.pack('>I4', count) .. value) end
return told(count)`,
  awaitChildren: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[7], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[5], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[5], id) else redis.call('HSET', KEYS[5], id, cmsgpack.pack(known)) end
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local counts, tally = { (redis.call('HGET', KEYS[6], id) or ''):match('^(%d+) (%d+) (%d+) (%d+) (%d+)$') }, {}
for i, kind in ipairs(kinds) do tally[kind] = tonumber(counts[i]) end
return counts[1] and tally or nil
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', KEYS[6], id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and type(entry[4]) == 'number' and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local id, child = ARGV[1], ARGV[3]
if redis.call('HGET', KEYS[4], id) ~= ARGV[2] then
return redis.call('ZSCORE', KEYS[3], id) and 1 or -1
end
local known, tally = facts(id), tallyOf(id)
if known.df then return known.df end
if not (tally and waits(tally)) then return 0 end
if child ~= '' then
local entry = readEntry(redis.call('HGET', KEYS[8], child))
if not entry or (entry[1] ~= 'open' and entry[1] ~= 'failing') then return 0 end
end
typed({ KEYS[1] }, { KEYS[2], KEYS[3] }, KEYS[7])
redis.call('ZREM', KEYS[2], id)
redis.call('HDEL', KEYS[4], id)
redis.call('ZADD', KEYS[3], now, id)
known.as, known.su = (known.as or 0) + 1, nil
remember(id, known)
publish(tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), 1,
'moved', cmsgpack.pack({ { 'waiting-children', id, 'active' } }))
return 1`,
  clean: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[4], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[4], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[18], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[19], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[15], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[15], slice[i])
redis.call('SADD', KEYS[16], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[3], ids)
if redis.call('EXISTS', KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[15]) == 0 then return end
if redis.call('EXISTS', KEYS[15]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[12]) == 1 then eachChunk('ZREM', KEYS[12], ids) end
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[17], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[17], '')
redis.call('HSET', KEYS[17], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[17], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local moved = {}
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[7], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[7], id) else redis.call('HSET', KEYS[7], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[2], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[14], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isKept(last)
return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
and type(last[4]) == 'number' and type(last[5]) == 'number'
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', KEYS[13], dedupId)
if not packed then return end
local readable, entry = pcall(cmsgpack.unpack, packed)
if not readable or type(entry) ~= 'table' then return redis.call('HDEL', KEYS[13], dedupId) end
if entry.id ~= id then return end
local kept = isKept(entry.last) and entry.last
if kept and redis.call('HSETNX', KEYS[3], kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', KEYS[7], keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', KEYS[5], now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', KEYS[4], lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', KEYS[13], dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', KEYS[13], dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', KEYS[8], id) == 1 and (known.po or redis.call('HEXISTS', KEYS[14], id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', KEYS[7]) == 0 then return end
local read = {} -- siblings have the same facts
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', KEYS[7], unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = read[value] or readFacts(value), ids[from + i - 1]
read[value] = known
if known.de then releaseId(known.de, id) end
if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
write(id, known, told, outcomes and outcomes[from + i - 1] or '')
end
end
end
end
post()
end
if earlier then return earlier end
local till = ARGV[2]
if till:sub(1, 4) == 'ago:' then till = now - tonumber(till:sub(5)) end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[4], till, 'LIMIT', 0, tonumber(ARGV[1]))
if #ids == 0 then return told({ ids, letters }) end
typed({ KEYS[2], KEYS[3], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[13], KEYS[14], KEYS[15] }, { KEYS[4], KEYS[5], KEYS[12], KEYS[18] }, KEYS[19], KEYS[16])
redis.call('ZREM', KEYS[1], unpack(ids))
redis.call('HDEL', KEYS[6], unpack(ids))
release(ids, 'removed')
forget(ids)
if ARGV[3] ~= '' then
for _, id in ipairs(ids) do moved[#moved + 1] = { ARGV[3], id } end
publish(tonumber(redis.call('HGET', KEYS[2], 'maxEvents') or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
return told({ ids, letters })`,
  counts: `local waiting = redis.call('ZCOUNT', KEYS[2], '-inf', '(0')
return {
waiting, redis.call('ZCARD', KEYS[2]) - waiting, redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4]),
redis.call('ZCARD', KEYS[5]), redis.call('ZCARD', KEYS[6]), redis.call('ZCARD', KEYS[7]),
redis.call('HEXISTS', KEYS[1], 'paused'),
}`,
  enqueue: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[15], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[11], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[11], '')
redis.call('HSET', KEYS[11], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[11], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
if ARGV[3] ~= '' and type(earlier) == 'table' and earlier[2] then
for id in ARGV[4]:gmatch('[^\\n]+') do
if redis.call('HGET', KEYS[6], id) ~= earlier[2] then
earlier[2] = nil
break
end
end
end
return earlier
end
local settings = redis.call('HMGET', KEYS[1], 'paused', 'maxEvents', 'limitedTill', 'concurrency', 'max')
local isLimited = settings[1] or settings[4] or settings[5] or (tonumber(settings[3]) or 0) > now
local reply, notes, added, count, ready, isTaken = { now }, {}, ARGV[4], 0, false, false
if ARGV[3] ~= '' then
local plain = cmsgpack.unpack(ARGV[3])
if ARGV[10] then
for i = 2, #plain, 2 do plain[i] = ARGV[plain[i]] or plain[i] end
end
redis.call('HSET', KEYS[2], unpack(plain))
local leaseMs = tonumber(ARGV[8]) or 0
isTaken = leaseMs > 0 and not isLimited and redis.call('ZCARD', KEYS[3]) == 0
if isTaken then
local deadline = string.format('%.0f', now + leaseMs)
local clock = time[1] .. ('00000' .. time[2]):sub(-6, -4)
local lease = ARGV[9] .. '~' .. session .. ':' .. seq .. '|' .. clock
local deadlines, leases = {}, {}
for i = 1, #plain, 2 do
deadlines[i], deadlines[i + 1], leases[i], leases[i + 1] = deadline, plain[i], plain[i], lease
end
redis.call('ZADD', KEYS[5], unpack(deadlines))
redis.call('HSET', KEYS[6], unpack(leases))
reply[2] = lease
else
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], '(0', '-inf', 'WITHSCORES', 'LIMIT', '0', '1')[2]
local place = string.format('%.0f', last and math.min(last + 1, -1) or -2251799813685247)
for i = 1, #plain, 2 do plain[i], plain[i + 1] = place, plain[i] end
redis.call('ZADD', KEYS[3], unpack(plain))
end
count, ready = #plain / 2, true
else
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function putDown(placed, due, known)
if #known > 0 then redis.call('HSET', KEYS[7], unpack(known)) end
if #placed > 0 then
redis.call('ZADD', KEYS[3], unpack(placed))
ready = true
end
if #due > 0 then
redis.call('ZADD', KEYS[4], unpack(due))
local first = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
for i = 2, #due, 2 do ready = ready or due[i] == first end
end
end
if ARGV[5] ~= '' then
local fresh = cmsgpack.unpack(ARGV[5])
local records, placed, due, known, waiting = {}, {}, {}, {}, {}
local dueTexts, placeTexts = {}, {}
for i = 1, #fresh, 6 do
local id, delayMs, priority, packed = fresh[i], fresh[i + 2], fresh[i + 3], fresh[i + 5]
count = count + 1
records[2 * count - 1], records[2 * count] = id, ARGV[fresh[i + 1]] or fresh[i + 1]
if packed ~= '' then
local k = #known
known[k + 1], known[k + 2] = id, packed
end
if delayMs > 0 then
local k = #due
dueTexts[delayMs] = dueTexts[delayMs] or string.format('%.0f', now + delayMs)
due[k + 1], due[k + 2] = dueTexts[delayMs], id
notes[#notes + 1] = { 'delayed', id, now + delayMs }
else
local k = #placed
local isFirst = fresh[i + 4] == 1
if not isFirst then placeTexts[priority] = placeTexts[priority] or string.format('%.0f', tail(priority)) end
placed[k + 1], placed[k + 2] = isFirst and head(priority) or placeTexts[priority], id
waiting[#waiting + 1] = id
end
end
redis.call('HSET', KEYS[2], unpack(records))
putDown(placed, due, known)
added = table.concat(waiting, '\\n')
else
local function wake()
redis.call('ZADD', KEYS[14], 0, '0')
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[7], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[7], id) else redis.call('HSET', KEYS[7], id, cmsgpack.pack(known)) end
end
local function isAlone(id)
return not facts(id).pk and redis.call('HEXISTS', KEYS[13], id) == 0
end
local function deduplicated(rule, id, item)
if rule == '' or redis.call('HEXISTS', KEYS[2], id) == 1 then return false end
local dedupId, ttlMs, extend, replace, keepLast, reschedule = unpack(rule)
local till = ttlMs > 0 and keepLast ~= 1 and now + ttlMs or 0
local packed = redis.call('HGET', KEYS[12], dedupId)
local readable, entry = pcall(cmsgpack.unpack, packed or '')
if not readable or type(entry) ~= 'table' or type(entry.id) ~= 'string' or type(entry.till) ~= 'number' then entry = nil end
if entry and entry.till ~= 0 and entry.till <= now then entry = nil end
if entry and entry.till == 0 and redis.call('HEXISTS', KEYS[2], entry.id) == 0 then entry = nil end
if entry and replace == 1 and isAlone(entry.id) and redis.call('ZREM', KEYS[4], entry.id) == 1 then
for _, column in ipairs({ KEYS[2], KEYS[7], KEYS[8], KEYS[9], KEYS[10] }) do redis.call('HDEL', column, entry.id) end
notes[#notes + 1] = { 'removed', entry.id, 'delayed' }
notes[#notes + 1] = { 'deduplicated', id, entry.id, dedupId }
if extend ~= 1 and keepLast ~= 1 and entry.till ~= 0 then till = entry.till end
entry = nil
end
if not entry then
redis.call('HSET', KEYS[12], dedupId, cmsgpack.pack({ id = id, till = till }))
return false
end
if reschedule == 1 and redis.call('ZSCORE', KEYS[4], entry.id) then
local known = facts(entry.id)
known.mv = now
remember(entry.id, known)
redis.call('ZADD', KEYS[4], now + item[3], entry.id)
if redis.call('ZRANK', KEYS[4], entry.id) == 0 then wake() end
notes[#notes + 1] = { 'delayed', entry.id, now + item[3], 'delayed' }
end
if keepLast == 1 and redis.call('ZSCORE', KEYS[5], entry.id) then
entry.last, entry.till = { id, item[2], item[6], item[4], item[3], item[5] }, 0
elseif extend == 1 and ttlMs > 0 then
entry.till = entry.till == 0 and till or now + ttlMs
else
return entry.id
end
redis.call('HSET', KEYS[12], dedupId, cmsgpack.pack(entry))
return entry.id
end
local placed, due, known = {}, {}, {}
local function place()
putDown(placed, due, known)
placed, due, known = {}, {}, {}
end
for i, item in ipairs(cmsgpack.unpack(ARGV[6])) do
item[2] = ARGV[item[2]] or item[2]
local id, record, delayMs, priority, lifo, packed, rule = unpack(item)
count = i
if rule ~= '' then place() end
local standing = deduplicated(rule, id, item)
if not standing and redis.call('HSETNX', KEYS[2], id, record) == 0 then standing = id end
reply[i + 1] = standing or ''
if standing then
notes[#notes + 1] = { standing == id and 'duplicated' or 'deduplicated', standing, id, rule ~= '' and rule[1] or '' }
else
if packed ~= '' then known[#known + 1], known[#known + 2] = id, packed end
if delayMs > 0 then
due[#due + 1], due[#due + 2] = now + delayMs, id
notes[#notes + 1] = { 'delayed', id, now + delayMs }
else
placed[#placed + 1], placed[#placed + 2] = lifo == 1 and head(priority) or tail(priority), id
notes[#notes + 1] = { 'waiting', id }
end
end
end
place()
end
end
if ARGV[10] then redis.call('HSET', KEYS[1], 'large', '1') end
if ready and ARGV[8] == '' and not settings[1] then redis.call('ZADD', KEYS[14], '0', '0') end
settled(session, seq, reply)
publish(tonumber(settings[2] or 10000), isTaken and 2 * count or count, 'added', added, 'names', ARGV[7],
isTaken and 'active' or 'moved', isTaken and added or #notes > 0 and cmsgpack.pack(notes) or '')
return reply`,
  fetch: `local sets = { { 'wait', KEYS[2] }, { 'delayed', KEYS[3] }, { 'active', KEYS[4] }, { 'parents', KEYS[5] },
{ 'completed', KEYS[6] }, { 'failed', KEYS[7] } }
local reply = {}
for i, id in ipairs(cmsgpack.unpack(ARGV[1])) do
local place, score = '', '0'
for _, set in ipairs(sets) do
local found = redis.call('ZSCORE', set[2], id)
if found then
place, score = set[1], found
break
end
end
local function column(key) return redis.call('HGET', key, id) end
reply[i] = { place, score, column(KEYS[1]), column(KEYS[9]), column(KEYS[10]), column(KEYS[11]), column(KEYS[12]), column(KEYS[8]) }
end
return reply`,
  fireSchedule: `local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[10], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[11], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function nextSlot()
local first = redis.call('ZRANGE', KEYS[7], 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', KEYS[1], 'nextSlot', first[2]) else redis.call('HDEL', KEYS[1], 'nextSlot') end
end
local function pastRuns(id)
local readable, past = pcall(cmsgpack.unpack, redis.call('HGET', KEYS[9], id) or '')
if readable and type(past) == 'table' and type(past.count) == 'number' then return past end
return { count = 0 }
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local id = ARGV[1]
if tonumber(redis.call('ZSCORE', KEYS[7], id) or -1) ~= tonumber(ARGV[3]) then return -1 end
if redis.call('HGET', KEYS[8], id) ~= ARGV[2] then return -1 end
local past = pastRuns(id)
local function unfinished(run)
return redis.call('ZSCORE', KEYS[3], run) or redis.call('ZSCORE', KEYS[5], run) or redis.call('ZSCORE', KEYS[4], run)
end
local skipped = ARGV[6] == 'skip' and past.last and unfinished(past.last)
typed({ KEYS[1], KEYS[2], KEYS[6] }, { KEYS[3], KEYS[10] }, KEYS[11])
local created = {}
for _, run in ipairs(skipped and {} or cmsgpack.unpack(ARGV[5])) do
if redis.call('HSETNX', KEYS[2], run[1], run[2]) == 1 then
if run[4] ~= '' then redis.call('HSET', KEYS[6], run[1], run[4]) end
redis.call('ZADD', KEYS[3], tail(run[3]), run[1])
created[#created + 1] = run[1]
end
past.last = run[1]
if ARGV[6] == 'skip' then break end -- the next one would overlap with this one
end
past.count = past.count + #created
redis.call('HSET', KEYS[9], id, cmsgpack.pack(past))
if ARGV[4] == '' then
redis.call('ZREM', KEYS[7], id)
redis.call('HDEL', KEYS[8], id)
redis.call('HDEL', KEYS[9], id)
else
redis.call('ZADD', KEYS[7], ARGV[4], id)
end
nextSlot()
if #created > 0 then
local settings = redis.call('HMGET', KEYS[1], 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #created, 'added', table.concat(created, '\\n'), 'names', ARGV[7], 'moved', '')
end
return #created`,
  forgetChildren: `local count = 0
for i, id in ipairs(cmsgpack.unpack(ARGV[1])) do
if redis.call('SREM', KEYS[1], id) == 1 then
redis.call('UNLINK', KEYS[1 + i])
count = count + 1
end
end
return count`,
  inquire: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[5], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[5], id) else redis.call('HSET', KEYS[5], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[7], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isHere(id, parent)
return redis.call('HEXISTS', KEYS[2], id) == 1 and parent
and parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end
local children, flags = cmsgpack.unpack(ARGV[4]), {}
for i = 1, #children, 3 do
local id, kind, stamp = unpack(children, i, i + 2)
local known = facts(id)
local flag = 1
if redis.call('HEXISTS', KEYS[7], id) == 0 then
if not isHere(id, known.pk) then flag = 0
elseif redis.call('ZSCORE', KEYS[3], id) then write(id, known, 'completed', redis.call('HGET', KEYS[6], id) or '', stamp)
elseif kind == 'open' and redis.call('ZSCORE', KEYS[4], id) then
write(id, known, 'failed', redis.call('HGET', KEYS[6], id) or '', stamp)
end
end
flags[#flags + 1] = flag
end
post()
return { flags, letters }`,
  inspectEvents: `if redis.call('EXISTS', KEYS[1]) == 0 then return { '0-0', '' } end
local info, last, first = redis.call('XINFO', 'STREAM', KEYS[1]), '0-0', ''
for i = 1, #info, 2 do
if info[i] == 'last-generated-id' then last = info[i + 1] end
if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end
end
return { last, first }`,
  pause: `local function wake()
redis.call('ZADD', KEYS[2], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
typed({ KEYS[1] }, { KEYS[2] }, KEYS[3])
local changed
if ARGV[1] == '1' then
changed = redis.call('HSET', KEYS[1], 'paused', 1)
else
changed = redis.call('HDEL', KEYS[1], 'paused')
wake()
end
if changed == 1 then
publish(tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), 1,
'moved', cmsgpack.pack({ { ARGV[1] == '1' and 'paused' or 'resumed' } }))
end
return changed`,
  plant: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[7], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local counts, tally = { (redis.call('HGET', KEYS[5], id) or ''):match('^(%d+) (%d+) (%d+) (%d+) (%d+)$') }, {}
for i, kind in ipairs(kinds) do tally[kind] = tonumber(counts[i]) end
return counts[1] and tally or nil
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', KEYS[5], id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and type(entry[4]) == 'number' and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local function strangers(books, children)
local keys, entries, seen, packed = {}, {}, {}, {}
for i = 1, #children, 3 do keys[#keys + 1] = children[i] end
local known = redis.call('EXISTS', books) == 1 and redis.call('HMGET', books, unpack(keys)) or {}
for i, key in ipairs(keys) do
if not known[i] and not seen[key] then
local k, prefix, queue = #entries, children[3 * i - 1], children[3 * i]
local entry = packed[queue]
if not entry or entry[1] ~= prefix then
entry = { prefix, cmsgpack.pack({ 'open', prefix, queue, 0 }) }
packed[queue] = entry
end
seen[key], entries[k + 1], entries[k + 2] = true, key, entry[2]
end
end
return entries
end
local flags, names, moved, known = {}, {}, {}, false
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
local id, record, facts, name, children = unpack(item)
local books = KEYS[7 + i]
if record ~= '' and redis.call('HSETNX', KEYS[2], id, record) == 1 then
flags[i] = 1
if facts ~= '' then redis.call('HSET', KEYS[3], id, facts) end
redis.call('ZADD', KEYS[4], now, id)
names[#names + 1], moved[#moved + 1] = name, { 'waiting-children', id }
else
flags[i] = redis.call('HEXISTS', KEYS[2], id) - 1
end
if flags[i] >= 0 then
known = true
if redis.call('SREM', KEYS[6], id) == 1 then redis.call('UNLINK', books) end
local entries = #children > 0 and strangers(books, children) or {}
if #entries > 0 then
local tally = tallyOf(id) or newTally()
tally.open = tally.open + #entries / 2
enter(books, entries)
keepTally(id, tally)
end
end
end
if known then redis.call('HSET', KEYS[1], 'flows', 1) end
if #moved > 0 then
publish(tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), #moved, 'added', '', 'names', table.concat(names, '\\n'), 'moved', cmsgpack.pack(moved))
end
return flags`,
  promote: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[2], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[2], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[6], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[7], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[4], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[4], id) else redis.call('HSET', KEYS[4], id, cmsgpack.pack(known)) end
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[5], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[5], '')
redis.call('HSET', KEYS[5], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[5], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
if earlier then return earlier end
local ids
if ARGV[3] ~= '' then
ids = {}
for _, id in ipairs(cmsgpack.unpack(ARGV[3])) do
if redis.call('ZSCORE', KEYS[3], id) then ids[#ids + 1] = id end
end
else
local till = ARGV[2] == '1' and '+inf' or now
ids = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', till, 'LIMIT', 0, tonumber(ARGV[1]))
end
if #ids > 0 then
local states = redis.call('EXISTS', KEYS[4]) == 1 and redis.call('HMGET', KEYS[4], unpack(ids)) or {}
local scores, moved = {}, {}
for i, id in ipairs(ids) do
local priority = states[i] and readFacts(states[i]).pr or 0
scores[2 * i - 1], scores[2 * i] = tail(priority), id
moved[i] = { 'waiting', id, 'delayed' }
end
typed({ KEYS[1] }, { KEYS[6] }, KEYS[7])
redis.call('ZREM', KEYS[3], unpack(ids))
redis.call('ZADD', KEYS[2], unpack(scores))
local settings = redis.call('HMGET', KEYS[1], 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return told({ #ids, first[2] and tonumber(first[2]) or 0 })`,
  publishEvents: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[2], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[2], '')
redis.call('HSET', KEYS[2], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[2], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local earlier = replayed(ARGV[1], ARGV[2])
if earlier then return earlier end
publish(tonumber(ARGV[5]) or tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), tonumber(ARGV[3]), 'custom', ARGV[4])
settled(ARGV[1], ARGV[2], 1)
return 1`,
  receive: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function wake()
redis.call('ZADD', KEYS[9], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[10], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local moved, total = {}, 0
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[7], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[7], id) else redis.call('HSET', KEYS[7], id, cmsgpack.pack(known)) end
end
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[2], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[2], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local counts, tally = { (redis.call('HGET', KEYS[8], id) or ''):match('^(%d+) (%d+) (%d+) (%d+) (%d+)$') }, {}
for i, kind in ipairs(kinds) do tally[kind] = tonumber(counts[i]) end
return counts[1] and tally or nil
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', KEYS[8], id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and type(entry[4]) == 'number' and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local afterFailure = { fail = 'failed', continue = 'ignored', ignore = 'ignored', remove = 'gone' }
local function verdict(kind, ending, policy)
local awaited = kind == 'open' or kind == 'failing'
if ending == 'completed' then return kind ~= 'completed' and 'completed' or nil end
if ending == 'failed' then return kind ~= 'completed' and (afterFailure[policy] or 'failing') or nil end
if ending == 'retried' then return 'open' end
if ending == 'removed' then return awaited and 'gone' or nil end
if kind == 'failing' then return 'gone' end
return awaited and 'failed' or nil
end
local function read(books, groups)
local keys, entries, same = {}, {}, {}
for _, group in ipairs(groups) do
local letters = group[4]
for i = 1, #letters, 2 do keys[#keys + 1] = letters[i] end
end
for i, value in ipairs(redis.call('HMGET', books, unpack(keys))) do
if value then
same[value] = same[value] or readEntry(value)
entries[keys[i]] = same[value]
end
end
return entries
end
local function enterAll(books, changed, entries)
local kept, gone, packed = {}, {}, {}
for key, result in pairs(changed) do
local k, entry = #kept, entries[key]
if entry then
packed[entry] = packed[entry] or cmsgpack.pack(entry)
kept[k + 1], kept[k + 2] = key, packed[entry] .. result
else gone[#gone + 1] = key end
end
if #kept > 0 then redis.call('HSET', books, unpack(kept)) end
if #gone > 0 then redis.call('HDEL', books, unpack(gone)) end
end
local function takeIn(books, groups, tally)
if #groups == 0 then return 0 end
local entries, changed, counted, reason, hurry = read(books, groups), {}, 0, nil, false
for _, group in ipairs(groups) do
local ending, policy, stamp, letters = unpack(group)
local made = {} -- what came of an entry: siblings that were alike are so again
for i = 1, #letters, 2 do
local key = letters[i]
local entry = entries[key]
local kind = entry and (stamp == 0 or stamp > entry[4]) and verdict(entry[1], ending, policy)
if kind then
counted, changed[key] = counted + 1, letters[i + 1]
tally[entry[1]] = tally[entry[1]] - 1
if kind == 'gone' then
entries[key] = nil
else
tally[kind] = tally[kind] + 1
made[entry] = made[entry] or { kind, entry[2], entry[3], math.max(stamp, entry[4]) }
entries[key] = made[entry]
end
if kind == 'failed' then reason = reason or 'child ' .. key .. (ending == 'lost' and ' is missing' or ' failed') end
hurry = hurry or (ending == 'failed' and policy == 'continue')
end
end
end
enterAll(books, changed, entries)
return counted, reason, hurry
end
local ready = false -- somebody is to be woken for a parent
local function toWait(id, known)
redis.call('ZADD', KEYS[2], head(known.pr or 0), id)
moved[#moved + 1], ready = { 'waiting', id, 'waiting-children' }, true
end
local function failLater(id, reason)
if redis.call('ZSCORE', KEYS[5], id) or redis.call('ZSCORE', KEYS[6], id) then return end
local known = facts(id)
known.df = known.df or reason
if redis.call('ZREM', KEYS[4], id) + redis.call('ZREM', KEYS[3], id) > 0 then
known.pd = nil
toWait(id, known)
end
remember(id, known)
end
local function goOn(id, delays)
if redis.call('ZREM', KEYS[4], id) == 0 then return end
local known = facts(id)
if not (known.pd and delays) then return toWait(id, known) end
local due = now + known.pd
known.pd = nil
remember(id, known)
redis.call('ZADD', KEYS[3], due, id)
moved[#moved + 1], ready = { 'delayed', id, due }, ready or redis.call('ZRANK', KEYS[3], id) == 0
end
local function hear(books, id, groups)
local tally = tallyOf(id)
if not tally then
if #groups == 0 then goOn(id, true) end
return 0
end
local counted, reason, hurry = takeIn(books, groups, tally)
if counted > 0 then keepTally(id, tally) end
if reason then failLater(id, reason)
elseif (counted > 0 or #groups == 0) and (hurry or not waits(tally)) then goOn(id, not hurry) end
return counted
end
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
total = total + hear(KEYS[10 + i], item[1], item[2])
end
if #moved > 0 then
local settings = redis.call('HMGET', KEYS[1], 'paused', 'maxEvents')
if ready and not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return total`,
  recover: `if redis.call('EXISTS', KEYS[5]) == 0 then return { {}, 0, {} } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[18], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[19], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[8], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[8], id) else redis.call('HSET', KEYS[8], id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', KEYS[10], id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', KEYS[10], id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[16], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[16], slice[i])
redis.call('SADD', KEYS[17], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[2], ids)
if redis.call('EXISTS', KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[16]) == 0 then return end
if redis.call('EXISTS', KEYS[16]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[13]) == 1 then eachChunk('ZREM', KEYS[13], ids) end
end
local function trim(set, keep)
if keep < 0 then return end
local excess = redis.call('ZCARD', set) - keep
if excess <= 0 then return end
local ids = redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)
redis.call('ZREM', set, unpack(ids))
forget(ids)
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local moved = {}
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[15], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isKept(last)
return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
and type(last[4]) == 'number' and type(last[5]) == 'number'
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', KEYS[14], dedupId)
if not packed then return end
local readable, entry = pcall(cmsgpack.unpack, packed)
if not readable or type(entry) ~= 'table' then return redis.call('HDEL', KEYS[14], dedupId) end
if entry.id ~= id then return end
local kept = isKept(entry.last) and entry.last
if kept and redis.call('HSETNX', KEYS[2], kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', KEYS[8], keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', KEYS[4], now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', KEYS[3], lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', KEYS[14], dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', KEYS[14], dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', KEYS[9], id) == 1 and (known.po or redis.call('HEXISTS', KEYS[15], id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', KEYS[8]) == 0 then return end
local read = {} -- siblings have the same facts
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', KEYS[8], unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = read[value] or readFacts(value), ids[from + i - 1]
read[value] = known
if known.de then releaseId(known.de, id) end
if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
write(id, known, told, outcomes and outcomes[from + i - 1] or '')
end
end
end
end
post()
end
local function bringBack(from, most)
local latest, ids, back = redis.call('ZRANGE', KEYS[5], from, -1, 'WITHSCORES'), {}, {}
for i = 1, #latest, 2 do ids[#ids + 1] = latest[i] end
for i, lease in ipairs(redis.call('HMGET', KEYS[7], unpack(ids))) do
local takenAt, deadline = lease and tonumber(lease:match('|(%d+)$')), tonumber(latest[2 * i])
if takenAt and takenAt > now + most and deadline > takenAt then
local k = #back
back[k + 1], back[k + 2] = now + math.min(math.floor(deadline) - takenAt, most) + deadline % 1, ids[i]
end
end
if #back > 0 then redis.call('ZADD', KEYS[5], unpack(back)) end
return #back > 0
end
typed({ KEYS[1], KEYS[2], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[14], KEYS[15], KEYS[16] }, { KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[13], KEYS[18] }, KEYS[19], KEYS[17])
local longest = 10 * tonumber(ARGV[4])
if longest > 0 and bringBack(-20, longest) then bringBack(-1000, longest) end
local expired = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local maxStalled, settings = tonumber(ARGV[1]), redis.call('HMGET', KEYS[1], 'paused', 'maxEvents')
local ids, lost, buried, outcomes = {}, {}, {}, {}
for i = 1, #expired, 2 do ids[#ids + 1] = expired[i] end
local leases = #ids > 0 and redis.call('HMGET', KEYS[7], unpack(ids)) or {}
local states = #ids > 0 and redis.call('HMGET', KEYS[8], unpack(ids)) or {}
for i = #ids, 1, -1 do
local id, started, known = ids[i], tonumber(expired[2 * i]) % 1 ~= 0, readFacts(states[i])
local token, startedAt = (leases[i] or ''):match('^(.*)|(%d+)$')
local worker = token and (token:match('^(.*)~[^~]*$') or token) or ''
if started then
known.sc, known.as = (known.sc or 0) + 1, (known.as or 0) + 1
end
local dead = started and known.sc > maxStalled
known.su = not dead and 1 or nil
remember(id, known)
if started then
chronicle(id, cmsgpack.pack({ worker = worker, message = 'job stalled: its worker stopped renewing the lease' }))
end
if dead then
local reason = cmsgpack.pack({ 'job stalled more than allowable limit', tonumber(startedAt or 0), worker })
buried[#buried + 1], outcomes[#outcomes + 1] = id, reason
moved[#moved + 1] = { 'stalled', id }
moved[#moved + 1] = { 'failed', id, reason }
else
redis.call('ZADD', KEYS[3], head(known.pr or 0), id)
moved[#moved + 1] = { 'waiting', id, 'active' }
if started then moved[#moved + 1] = { 'stalled', id } end
end
lost[#lost + 1] = { id, known.sc or 0, worker, dead and 1 or 0, started and 1 or 0 }
end
if #ids > 0 then
redis.call('ZREM', KEYS[5], unpack(ids))
redis.call('HDEL', KEYS[7], unpack(ids))
end
if #buried > 0 then
local deaths, endings = {}, {}
for i, id in ipairs(buried) do
deaths[2 * i - 1], deaths[2 * i] = now, id
endings[2 * i - 1], endings[2 * i] = id, outcomes[i]
end
redis.call('ZADD', KEYS[6], unpack(deaths))
redis.call('HSET', KEYS[9], unpack(endings))
end
release(buried, 'failed', outcomes)
if #buried > 0 then trim(KEYS[6], tonumber(ARGV[3])) end
if #lost > 0 then
if not settings[1] and #lost > #buried then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
return { lost, first[2] and math.ceil(tonumber(first[2])) or 0, letters }`,
  redrive: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[4], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[4], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[12], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[13], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[5], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[5], id) else redis.call('HSET', KEYS[5], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[2], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[10], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[11], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[11], '')
redis.call('HSET', KEYS[11], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[11], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
if earlier then return earlier end
local given = ARGV[3] ~= ''
local ids = given and cmsgpack.unpack(ARGV[3])
or redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, tonumber(ARGV[1]))
typed({ KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[10] }, { KEYS[1], KEYS[4], KEYS[9], KEYS[12] }, KEYS[13])
local flags, moved = {}, {}
for i, id in ipairs(ids) do
if not redis.call('ZSCORE', KEYS[1], id) then
flags[i] = redis.call('HEXISTS', KEYS[3], id) == 1 and 0 or -1
else
flags[i] = 1
local known = facts(id)
redis.call('ZREM', KEYS[1], id)
redis.call('ZADD', KEYS[4], tail(known.pr or 0), id)
redis.call('HDEL', KEYS[6], id)
redis.call('HDEL', KEYS[8], id)
redis.call('ZREM', KEYS[9], id)
if ARGV[4]:find('m') then known.am = nil end
if ARGV[4]:find('s') then known.as = nil end
known.sc, known.su, known.df = nil, nil, nil
if redis.call('HEXISTS', KEYS[7], id) == 1 then known.rd = now end
remember(id, known)
if type(known.pk) == 'table' then write(id, known, 'retried', '') end
moved[#moved + 1] = { 'waiting', id, ARGV[5] }
end
end
post()
if #moved > 0 then
local settings = redis.call('HMGET', KEYS[2], 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return told(given and flags or #moved)`,
  removeSchedule: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[5], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[5], '')
redis.call('HSET', KEYS[5], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[5], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function nextSlot()
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', KEYS[1], 'nextSlot', first[2]) else redis.call('HDEL', KEYS[1], 'nextSlot') end
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
if earlier then return earlier end
typed({ KEYS[1], KEYS[3], KEYS[4] }, { KEYS[2] })
local removed = redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
nextSlot()
return told(removed)`,
  remove: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[21], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[22], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[18], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[18], slice[i])
redis.call('SADD', KEYS[19], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[2], ids)
if redis.call('EXISTS', KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[18]) == 0 then return end
if redis.call('EXISTS', KEYS[18]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[15]) == 1 then eachChunk('ZREM', KEYS[15], ids) end
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[20], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[20], '')
redis.call('HSET', KEYS[20], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[20], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local moved = {}
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[10], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[10], id) else redis.call('HSET', KEYS[10], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[17], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isKept(last)
return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
and type(last[4]) == 'number' and type(last[5]) == 'number'
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', KEYS[16], dedupId)
if not packed then return end
local readable, entry = pcall(cmsgpack.unpack, packed)
if not readable or type(entry) ~= 'table' then return redis.call('HDEL', KEYS[16], dedupId) end
if entry.id ~= id then return end
local kept = isKept(entry.last) and entry.last
if kept and redis.call('HSETNX', KEYS[2], kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', KEYS[10], keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', KEYS[4], now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', KEYS[3], lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', KEYS[16], dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', KEYS[16], dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', KEYS[11], id) == 1 and (known.po or redis.call('HEXISTS', KEYS[17], id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', KEYS[10]) == 0 then return end
local read = {} -- siblings have the same facts
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', KEYS[10], unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = read[value] or readFacts(value), ids[from + i - 1]
read[value] = known
if known.de then releaseId(known.de, id) end
if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
write(id, known, told, outcomes and outcomes[from + i - 1] or '')
end
end
end
end
post()
end
if earlier then return earlier end
local ids, flags, gone, only = cmsgpack.unpack(ARGV[1]), {}, {}, ARGV[2]
local function isSpared(id)
if only == 'childless' then return redis.call('HEXISTS', KEYS[18], id) == 1 end
return only == 'unfinished' and (redis.call('ZSCORE', KEYS[7], id) or redis.call('ZSCORE', KEYS[8], id))
end
local function stateOf(id)
local at = redis.call('ZSCORE', KEYS[3], id)
if at then return tonumber(at) < 0 and 'waiting' or 'prioritized' end
if redis.call('ZSCORE', KEYS[4], id) then return 'delayed' end
if redis.call('ZSCORE', KEYS[6], id) then return 'waiting-children' end
if redis.call('ZSCORE', KEYS[7], id) then return 'completed' end
return redis.call('ZSCORE', KEYS[8], id) and 'failed' or nil
end
for i, id in ipairs(ids) do
if redis.call('HEXISTS', KEYS[9], id) == 1 then flags[i] = -1
elseif redis.call('HEXISTS', KEYS[2], id) == 0 then flags[i] = 0
elseif isSpared(id) then flags[i] = -2
else
flags[i] = 1
gone[#gone + 1] = id
moved[#moved + 1] = { 'removed', id, stateOf(id) }
end
end
if #gone > 0 then
typed({ KEYS[1], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[16], KEYS[17], KEYS[18] }, { KEYS[3], KEYS[4], KEYS[6], KEYS[7], KEYS[8], KEYS[15], KEYS[21] }, KEYS[22], KEYS[19])
for _, set in ipairs({ KEYS[3], KEYS[4], KEYS[6], KEYS[7], KEYS[8] }) do redis.call('ZREM', set, unpack(gone)) end
release(gone, 'removed')
forget(gone)
publish(tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), #gone, 'moved', cmsgpack.pack(moved))
end
return told({ flags, letters })`,
  renew: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases = cmsgpack.unpack(ARGV[2])
local ids, scores, lost = {}, {}, {}
for i = 1, #leases, 2 do ids[#ids + 1] = leases[i] end
local held = redis.call('HMGET', KEYS[2], unpack(ids))
local deadline = now + tonumber(ARGV[1]) + 0.5
for i, id in ipairs(ids) do
if held[i] == leases[2 * i] then
local k = #scores
scores[k + 1], scores[k + 2] = deadline, id
else
lost[#lost + 1] = i - 1
end
end
if #scores > 0 then
redis.call('ZREM', KEYS[1], '')
redis.call('ZADD', KEYS[1], 'XX', unpack(scores))
end
return lost`,
  reportProgress: `local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
local limit = tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000)
typed({}, {}, KEYS[4])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
publish(limit, 1, 'moved', cmsgpack.pack({ { 'progress', ARGV[1], ARGV[2] } }))
return 1`,
  reprioritize: `local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[2], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[2], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[3], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[3], id) else redis.call('HSET', KEYS[3], id, cmsgpack.pack(known)) end
end
local id, priority = ARGV[1], tonumber(ARGV[2])
if redis.call('HEXISTS', KEYS[1], id) == 0 then return 0 end
local known, waits = facts(id), redis.call('ZSCORE', KEYS[2], id)
known.pr = priority
remember(id, known)
if waits then
redis.call('ZREM', KEYS[2], id)
redis.call('ZADD', KEYS[2], ARGV[3] == '1' and head(priority) or tail(priority), id)
end
return 1`,
  reschedule: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function wake()
redis.call('ZADD', KEYS[5], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[6], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[4], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[4], id) else redis.call('HSET', KEYS[4], id, cmsgpack.pack(known)) end
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return redis.call('HEXISTS', KEYS[2], ARGV[1]) - 1 end
typed({ KEYS[1], KEYS[4] }, { KEYS[5] }, KEYS[6])
local due, known = now + tonumber(ARGV[2]), facts(ARGV[1])
known.mv = now
remember(ARGV[1], known)
redis.call('ZADD', KEYS[3], due, ARGV[1])
if redis.call('ZRANK', KEYS[3], ARGV[1]) == 0 then wake() end
publish(tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000), 1, 'moved', cmsgpack.pack({ { 'delayed', ARGV[1], due } }))
return due`,
  settle: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[22], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[15], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[15], '')
redis.call('HSET', KEYS[15], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[15], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq, wanted = ARGV[1], ARGV[2], tonumber(ARGV[5])
local earlier = replayed(session, seq)
if type(earlier) == 'table' and (earlier.err or type(earlier[3]) == 'string') then
if earlier.err then return earlier end
local lease, ids, records, states = earlier[2], {}, {}, {}
for id in earlier[3]:gmatch('[^\\n]+') do
local record = redis.call('HGET', KEYS[8], id) == lease and redis.call('HGET', KEYS[2], id)
if record then
ids[#ids + 1], records[#records + 1], states[#states + 1] = id, record, redis.call('HGET', KEYS[9], id)
end
end
return { now, lease, table.concat(ids, '\\n'), records, 0, 0, 0,
{ earlier[1], earlier[4], '', states, '', redis.call('HEXISTS', KEYS[1], 'flows') } }
end
local raw = redis.call('HMGET', KEYS[1], 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot', 'flows', 'large')
local flows, moved, mail, returned = raw[8], {}, '', false
local clock = time[1] .. ('00000' .. time[2]):sub(-6, -4)
local ids, kinds, payloads, accepted, named, isPlain = {}, {}, {}, 0, 0, true
local refused, unready = {}, {}
local groups = cmsgpack.unpack(ARGV[3])
local isUnready
if flows and #groups > 0 then
isUnready = function(tally)
local open, failing = tally:match('^(%d+) (%d+) %d+ %d+ %d+$')
return open and tonumber(open) + tonumber(failing) > 0
end
end
for g = 1, #groups, 4 do
local lease, members, digits, given = groups[g], groups[g + 1], groups[g + 2], groups[g + 3]
local held = redis.call('HMGET', KEYS[8], unpack(members))
local tallies = isUnready and redis.call('HMGET', KEYS[18], unpack(members))
for i = 1, #members do
local id, kind = members[i], digits == '' and 0 or digits:byte(i) - 48
if held[i] ~= lease then
refused[#refused + 1] = named
elseif tallies and kind <= 2 and tallies[i] and isUnready(tallies[i]) then
unready[#unready + 1] = named
else
accepted = accepted + 1
ids[accepted], kinds[accepted], payloads[accepted] = id, kind, given == '' and '\\192' or given[i]
isPlain = isPlain and kind == 0
end
named = named + 1
end
end
if ARGV[14] ~= '' then
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
typed({ KEYS[17], unpack(KEYS, 25) }, { KEYS[24] })
end
local done, results, bare = {}, '', false
if accepted > 0 then
bare = redis.call('EXISTS', KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[18]) == 0
redis.call('ZREM', KEYS[5], unpack(ids))
if redis.call('HDEL', KEYS[8], unpack(ids)) < accepted then
local passed, seen, i, n = {}, {}, 0, 0
for _, numbers in ipairs({ refused, unready }) do
for _, number in ipairs(numbers) do passed[number] = true end
end
for number = 0, named - 1 do
if not passed[number] then
i = i + 1
if seen[ids[i]] then
refused[#refused + 1] = number
else
n = n + 1
seen[ids[i]], ids[n], kinds[n], payloads[n] = true, ids[i], kinds[i], payloads[i]
end
end
end
for gone = n + 1, accepted do ids[gone], kinds[gone], payloads[gone] = nil, nil, nil end
accepted = n
end
end
if accepted > 0 and isPlain and bare and ARGV[13] == '0' then
redis.call('HDEL', KEYS[2], unpack(ids))
done, results = ids, table.concat(payloads)
elseif accepted > 0 then
local told, forgotten, kept = {}, {}, {}
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[20], 0, '0')
end
local function chronicle(id, entry)
local value = (redis.call('HGET', KEYS[11], id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', KEYS[11], id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[18], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[18], slice[i])
redis.call('SADD', KEYS[19], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[2], ids)
if redis.call('EXISTS', KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[18]) == 0 then return end
if redis.call('EXISTS', KEYS[18]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[14]) == 1 then eachChunk('ZREM', KEYS[14], ids) end
end
local function trim(set, keep)
if keep < 0 then return end
local excess = redis.call('ZCARD', set) - keep
if excess <= 0 then return end
local ids = redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)
redis.call('ZREM', set, unpack(ids))
forget(ids)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[9], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[9], id) else redis.call('HSET', KEYS[9], id, cmsgpack.pack(known)) end
end
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[17], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isKept(last)
return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
and type(last[4]) == 'number' and type(last[5]) == 'number'
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', KEYS[16], dedupId)
if not packed then return end
local readable, entry = pcall(cmsgpack.unpack, packed)
if not readable or type(entry) ~= 'table' then return redis.call('HDEL', KEYS[16], dedupId) end
if entry.id ~= id then return end
local kept = isKept(entry.last) and entry.last
if kept and redis.call('HSETNX', KEYS[2], kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', KEYS[9], keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', KEYS[4], now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', KEYS[3], lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', KEYS[16], dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', KEYS[16], dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', KEYS[10], id) == 1 and (known.po or redis.call('HEXISTS', KEYS[17], id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', KEYS[9]) == 0 then return end
local read = {} -- siblings have the same facts
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', KEYS[9], unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = read[value] or readFacts(value), ids[from + i - 1]
read[value] = known
if known.de then releaseId(known.de, id) end
if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
write(id, known, told, outcomes and outcomes[from + i - 1] or '')
end
end
end
end
post()
end
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
redis.call('ZADD', KEYS[7], now, id)
redis.call('HSET', KEYS[10], id, payload[1])
if payload[4] then redis.call('ZADD', KEYS[14], payload[4] < 0 and '+inf' or now + payload[4], id) end
end
local function retry(id, payload)
local known = facts(id)
known.am, known.as, known.su = payload[2], (known.as or 0) + 1, nil
remember(id, known)
chronicle(id, payload[3])
if payload[1] > 0 then
redis.call('ZADD', KEYS[4], now + payload[1], id)
moved[#moved + 1] = { 'delayed', id, now + payload[1] }
else
redis.call('ZADD', KEYS[3], payload[4] == 1 and head(known.pr or 0) or tail(known.pr or 0), id)
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
redis.call('ZADD', KEYS[4], dueAt, id)
moved[#moved + 1] = { 'delayed', id, dueAt }
else
redis.call('ZADD', KEYS[3], head(known.pr or 0), id)
moved[#moved + 1] = { 'waiting', id, 'active' }
returned = true
end
end
local tellHere
if ARGV[14] ~= '' then
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local counts, tally = { (redis.call('HGET', KEYS[18], id) or ''):match('^(%d+) (%d+) (%d+) (%d+) (%d+)$') }, {}
for i, kind in ipairs(kinds) do tally[kind] = tonumber(counts[i]) end
return counts[1] and tally or nil
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', KEYS[18], id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and type(entry[4]) == 'number' and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local afterFailure = { fail = 'failed', continue = 'ignored', ignore = 'ignored', remove = 'gone' }
local function verdict(kind, ending, policy)
local awaited = kind == 'open' or kind == 'failing'
if ending == 'completed' then return kind ~= 'completed' and 'completed' or nil end
if ending == 'failed' then return kind ~= 'completed' and (afterFailure[policy] or 'failing') or nil end
if ending == 'retried' then return 'open' end
if ending == 'removed' then return awaited and 'gone' or nil end
if kind == 'failing' then return 'gone' end
return awaited and 'failed' or nil
end
local function read(books, groups)
local keys, entries, same = {}, {}, {}
for _, group in ipairs(groups) do
local letters = group[4]
for i = 1, #letters, 2 do keys[#keys + 1] = letters[i] end
end
for i, value in ipairs(redis.call('HMGET', books, unpack(keys))) do
if value then
same[value] = same[value] or readEntry(value)
entries[keys[i]] = same[value]
end
end
return entries
end
local function enterAll(books, changed, entries)
local kept, gone, packed = {}, {}, {}
for key, result in pairs(changed) do
local k, entry = #kept, entries[key]
if entry then
packed[entry] = packed[entry] or cmsgpack.pack(entry)
kept[k + 1], kept[k + 2] = key, packed[entry] .. result
else gone[#gone + 1] = key end
end
if #kept > 0 then redis.call('HSET', books, unpack(kept)) end
if #gone > 0 then redis.call('HDEL', books, unpack(gone)) end
end
local function takeIn(books, groups, tally)
if #groups == 0 then return 0 end
local entries, changed, counted, reason, hurry = read(books, groups), {}, 0, nil, false
for _, group in ipairs(groups) do
local ending, policy, stamp, letters = unpack(group)
local made = {} -- what came of an entry: siblings that were alike are so again
for i = 1, #letters, 2 do
local key = letters[i]
local entry = entries[key]
local kind = entry and (stamp == 0 or stamp > entry[4]) and verdict(entry[1], ending, policy)
if kind then
counted, changed[key] = counted + 1, letters[i + 1]
tally[entry[1]] = tally[entry[1]] - 1
if kind == 'gone' then
entries[key] = nil
else
tally[kind] = tally[kind] + 1
made[entry] = made[entry] or { kind, entry[2], entry[3], math.max(stamp, entry[4]) }
entries[key] = made[entry]
end
if kind == 'failed' then reason = reason or 'child ' .. key .. (ending == 'lost' and ' is missing' or ' failed') end
hurry = hurry or (ending == 'failed' and policy == 'continue')
end
end
end
enterAll(books, changed, entries)
return counted, reason, hurry
end
local ready = false -- somebody is to be woken for a parent
local function toWait(id, known)
redis.call('ZADD', KEYS[3], head(known.pr or 0), id)
moved[#moved + 1], ready = { 'waiting', id, 'waiting-children' }, true
end
local function failLater(id, reason)
if redis.call('ZSCORE', KEYS[6], id) or redis.call('ZSCORE', KEYS[7], id) then return end
local known = facts(id)
known.df = known.df or reason
if redis.call('ZREM', KEYS[24], id) + redis.call('ZREM', KEYS[4], id) > 0 then
known.pd = nil
toWait(id, known)
end
remember(id, known)
end
local function goOn(id, delays)
if redis.call('ZREM', KEYS[24], id) == 0 then return end
local known = facts(id)
if not (known.pd and delays) then return toWait(id, known) end
local due = now + known.pd
known.pd = nil
remember(id, known)
redis.call('ZADD', KEYS[4], due, id)
moved[#moved + 1], ready = { 'delayed', id, due }, ready or redis.call('ZRANK', KEYS[4], id) == 0
end
local function hear(books, id, groups)
local tally = tallyOf(id)
if not tally then
if #groups == 0 then goOn(id, true) end
return 0
end
local counted, reason, hurry = takeIn(books, groups, tally)
if counted > 0 then keepTally(id, tally) end
if reason then failLater(id, reason)
elseif (counted > 0 or #groups == 0) and (hurry or not waits(tally)) then goOn(id, not hurry) end
return counted
end
local near, places, heard, order, told = cmsgpack.unpack(ARGV[14]), {}, {}, {}, {}
for i = 3, #near do places[near[i]] = i - 2 end
local name, writeLetter = near[1] .. ':' .. near[2] .. ':', write
write = function(id, known, ending, result)
local parent, policy = known.pk[3], known.po or ''
if not places[parent] or known.pk[1] ~= near[1] or known.pk[2] ~= near[2] then return writeLetter(id, known, ending, result) end
local groups = heard[parent]
if not groups then
groups = {}
heard[parent], order[#order + 1] = groups, parent
end
local last = groups[#groups]
if not last or last[1] ~= ending or last[2] ~= policy then
last = { ending, policy, time[1] * 1000000 + time[2], {} }
groups[#groups + 1] = last
end
local children = last[4]
children[#children + 1], children[#children + 2], told[#told + 1] = name .. id, result, id
end
tellHere = function()
if #told > 0 and redis.call('EXISTS', KEYS[17]) == 1 then redis.call('HDEL', KEYS[17], unpack(told)) end
for i = 1, #order do hear(KEYS[24 + places[order[i]]], order[i], heard[order[i]]) end
returned = returned or ready
end
end
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
if kind == 2 then redis.call('ZADD', KEYS[14], payload[2] < 0 and '+inf' or now + payload[2], id) end
end
elseif kind == 3 then fail(id, payload)
elseif kind == 4 then retry(id, payload) end
end
if #kept > 0 then
local scores = {}
for i = 1, #kept, 2 do scores[i], scores[i + 1] = clock, kept[i] end
redis.call('ZADD', KEYS[6], unpack(scores))
redis.call('HSET', KEYS[10], unpack(kept))
end
release(done, 'completed', told)
release(buried, 'failed', buriedOutcomes)
release(dropped, 'dropped', droppedOutcomes)
forget(forgotten)
forget(dropped)
if #kept > 0 then trim(KEYS[6], tonumber(ARGV[9])) end
if #buried > 0 then trim(KEYS[7], tonumber(ARGV[10])) end
if tellHere then tellHere() end
if ARGV[13] ~= '0' then
local function measure(letter, count, most)
if count == 0 then return end
local minute = math.floor(now / 60000)
local counted = redis.pcall('HINCRBY', KEYS[23], letter .. minute, count)
if type(counted) ~= 'number' then return redis.call('HDEL', KEYS[23], letter .. minute) end
if counted > count then return end
local since = tonumber(redis.call('HGET', KEYS[23], 'since') or minute) or minute
local last = math.min(minute - most - 1, since + 499)
if last >= since then
local fields, sums = {}, { c = 0, f = 0 }
for each = since, last do fields[#fields + 1], fields[#fields + 2] = 'c' .. each, 'f' .. each end
for i, value in ipairs(redis.call('HMGET', KEYS[23], unpack(fields))) do
local kind = i % 2 == 1 and 'c' or 'f'
sums[kind] = sums[kind] + (tonumber(value) or 0)
end
redis.call('HDEL', KEYS[23], unpack(fields))
for kind, sum in pairs(sums) do redis.pcall('HINCRBY', KEYS[23], kind, sum) end
since = last + 1
end
redis.call('HSET', KEYS[23], 'since', since, 'max', most)
end
measure('c', #done, tonumber(ARGV[13]))
measure('f', #buried + #dropped, tonumber(ARGV[13]))
end
results, bare = table.concat(told), false
if #letters > 0 then mail = letters end
end
local token = ARGV[4] ~= '' and ARGV[4] or session .. ':' .. seq
local lease = token .. '|' .. clock
local count, joined, records, states, missing, waitMs = 0, '', '', '', '', 0
local limitedTill, concurrency, max, room = tonumber(raw[2]) or 0, tonumber(raw[3]), tonumber(raw[5] and raw[4]) or tonumber(ARGV[7]), wanted
if wanted > 0 then
if raw[1] then room, waitMs = 0, -1
elseif limitedTill > now then room, waitMs = 0, limitedTill - now
elseif concurrency or max > 0 then
room = wanted - tonumber(ARGV[12])
if concurrency then room = math.min(room, concurrency - redis.call('ZCARD', KEYS[5])) end
if room > 0 and max > 0 then
local durationMs, left = tonumber(raw[4] and raw[5]) or tonumber(ARGV[8]), nil
local entry = redis.call('LINDEX', KEYS[21], 0)
local starts = tonumber(redis.call('HGET', KEYS[1], 'rateCount')) or 0
for _ = 1, 1000 do
if not entry then break end
local at, begun = entry:match('^(%d+) (%d+)$')
if at and math.abs(now - tonumber(at)) < durationMs then
left = math.max(0, max - starts)
if left == 0 then waitMs = tonumber(at) + durationMs - now end
break
end
redis.call('LPOP', KEYS[21])
if at then starts = starts - tonumber(begun) end
redis.call('HSET', KEYS[1], 'rateCount', starts)
entry = redis.call('LINDEX', KEYS[21], 0)
end
if not left then
if not entry then redis.call('HDEL', KEYS[1], 'rateCount') end
left = entry and 0 or max
if left == 0 then waitMs = 1 end
end
room = math.min(room, left)
end
if room <= 0 and waitMs == 0 then waitMs = -1 end
end
end
local fresh = room > 0 and redis.call('ZRANGE', KEYS[3], '0', room) or {}
local isMore = room > 0 and #fresh > room
if isMore then fresh[#fresh] = nil end
if #fresh > 0 then
local heavy = false
if raw[9] then
local weight = 0
heavy = {}
for i = 1, #fresh do
local length = redis.call('HSTRLEN', KEYS[2], fresh[i])
weight, heavy[i] = weight + length, length > 0 and ''
end
heavy = weight > 65536 and heavy
end
local found = heavy or redis.call('HMGET', KEYS[2], unpack(fresh))
redis.call('ZREMRANGEBYRANK', KEYS[3], '0', #fresh - 1)
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
missing = table.concat(lost, '\\n')
end
if count > 0 then
local wide = false
if count >= 8 then
local before = redis.call('ZCARD', KEYS[5])
if before <= 16 and before + count > 16 then
wide = ('-'):rep(65)
redis.call('ZADD', KEYS[5], '0', wide)
redis.call('HSET', KEYS[8], '', wide)
end
end
redis.call('ZADD', KEYS[5], unpack(deadlines))
if wide then redis.call('ZREM', KEYS[5], wide) end
redis.call('HSET', KEYS[8], unpack(leases))
joined = table.concat(fresh, '\\n')
records = heavy and 1 or size > 65536 and found or table.concat(found)
if not bare and redis.call('EXISTS', KEYS[9]) == 1 then states = redis.call('HMGET', KEYS[9], unpack(fresh)) end
if max > 0 then
redis.call('RPUSH', KEYS[21], clock .. ' ' .. count)
if type(redis.pcall('HINCRBY', KEYS[1], 'rateCount', count)) ~= 'number' then redis.call('HSET', KEYS[1], 'rateCount', count) end
end
end
end
settled(session, seq, { refused, lease, joined, unready })
local isWoken, isBarred = ARGV[11] == '1', waitMs > 0 and not raw[5] and limitedTill <= now
local mayHaveMore = returned or missing ~= '' or (raw[3] and count < accepted) or (isWoken and (wanted == 0 or isBarred))
if (isWoken and isMore) or (mayHaveMore and redis.call('ZCARD', KEYS[3]) > 0) then redis.call('ZADD', KEYS[20], '0', '0') end
if wanted > 0 and count == 0 and accepted > 0 and (room > 0 and missing == '' or redis.call('ZCARD', KEYS[3]) == 0) then
moved[#moved + 1] = { 'drained' }
end
local changes = #done + #moved + count
if changes > 0 then
local entry, n = {}, 0
if #done > 0 then
entry[1], entry[2], entry[3], entry[4], n = 'done', table.concat(done, '\\n'), 'results', results, 4
end
if #moved > 0 then entry[n + 1], entry[n + 2], n = 'moved', cmsgpack.pack(moved), n + 2 end
if count > 0 then entry[n + 1], entry[n + 2] = 'active', joined end
publish(tonumber(raw[6] or 10000), changes, unpack(entry))
end
local first, due, expires = redis.call('ZRANGE', KEYS[4], '0', '0', 'WITHSCORES'), tonumber(raw[7] or 0) or 0, 0
if first[2] and (due == 0 or tonumber(first[2]) < due) then due = tonumber(first[2]) end
if count == 0 then
first = redis.call('ZRANGE', KEYS[5], '0', '0', 'WITHSCORES')
expires = first[2] and math.ceil(tonumber(first[2])) or 0
end
local isBrief = not flows and states == '' and missing == '' and mail == '' and #refused == 0
return { now, lease, joined, records, waitMs, due, expires,
isBrief and '' or { refused, unready, mail, states, missing, flows and 1 or 0 } }`,
  sweep: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[13], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[13], slice[i])
redis.call('SADD', KEYS[14], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[2], ids)
if redis.call('EXISTS', KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[13]) == 0 then return end
if redis.call('EXISTS', KEYS[13]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[10]) == 1 then eachChunk('ZREM', KEYS[10], ids) end
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local limit, forgotten, more = tonumber(ARGV[3]), 0, 0
local function scan(key, cursorField, stale)
local page = redis.call('HSCAN', key, redis.call('HGET', KEYS[1], cursorField) or '0', 'COUNT', 100)
for i = 1, #page[2], 2 do
local readable, value = pcall(cmsgpack.unpack, page[2][i + 1])
if not readable or type(value) ~= 'table' or stale(value) then redis.call('HDEL', key, page[2][i]) end
end
if page[1] == '0' then redis.call('HDEL', KEYS[1], cursorField) else redis.call('HSET', KEYS[1], cursorField, page[1]) end
end
local function scanSessions()
scan(KEYS[11], 'sessionsCursor', function(call) return type(call[2]) ~= 'number' or call[2] < now - tonumber(ARGV[4]) end)
end
if redis.call('EXISTS', KEYS[3], KEYS[4], KEYS[10], KEYS[12]) == 0 then
scanSessions()
return { 0, 0 }
end
typed({ KEYS[1], KEYS[2], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[11], KEYS[12], KEYS[13] }, { KEYS[3], KEYS[4], KEYS[10] }, nil, KEYS[14])
local due = redis.call('ZRANGEBYSCORE', KEYS[10], '-inf', now, 'LIMIT', 0, limit)
if #due > 0 then
redis.call('ZREM', KEYS[3], unpack(due))
redis.call('ZREM', KEYS[4], unpack(due))
forget(due)
forgotten = #due
if #due == limit then more = 1 end
end
local function age(set, field, ageMs)
if ageMs < 0 then return end
local from = redis.call('HGET', KEYS[1], field) or '-inf'
if tonumber((from:gsub('^%(', ''))) > now - ageMs then from = '-inf' end
local old = redis.call('ZRANGEBYSCORE', set, from, now - ageMs, 'WITHSCORES', 'LIMIT', 0, limit)
if #old == 0 then return end
local ids, gone = {}, {}
for i = 1, #old, 2 do ids[#ids + 1] = old[i] end
local own = redis.call('ZMSCORE', KEYS[10], unpack(ids))
for i, id in ipairs(ids) do
if not own[i] then gone[#gone + 1] = id end
end
local last = old[#old]
if #ids == limit and #gone == 0 and last == from then last = '(' .. last end
redis.call('HSET', KEYS[1], field, last)
if #ids == limit then more = 1 end
if #gone == 0 then return end
redis.call('ZREM', set, unpack(gone))
forget(gone)
forgotten = forgotten + #gone
end
age(KEYS[3], 'sweptCompleted', tonumber(ARGV[1]))
age(KEYS[4], 'sweptFailed', tonumber(ARGV[2]))
scanSessions()
scan(KEYS[12], 'dedupCursor', function(entry)
if type(entry.till) ~= 'number' or type(entry.id) ~= 'string' then return true end
if entry.till == 0 then return redis.call('HEXISTS', KEYS[2], entry.id) == 0 end
return entry.till < now and not entry.last
end)
return { forgotten, more }`,
  takeFirst: `if ARGV[4] == '' and redis.call('EXISTS', KEYS[3]) == 0 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[9], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', KEYS[7], session)
if not last then return false end
local readable, _, known = pcall(cmsgpack.unpack_one, last, 1)
if not readable or type(known) ~= 'number' or last:byte() ~= 147 then return false end
if known < tonumber(seq) then return false end
if known > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
redis.call('HDEL', KEYS[7], '')
redis.call('HSET', KEYS[7], session, last)
local whole, call = pcall(cmsgpack.unpack, last)
return whole and type(call) == 'table' and call[3] or false
end
local function settled(session, seq, reply)
redis.call('HSET', KEYS[7], session, '\\147' .. cmsgpack.pack(tonumber(seq), now, reply))
end
local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
if type(earlier) ~= 'table' then return false end
if earlier.err then return earlier end
local lease, id = earlier[1], earlier[2]
local isHeld = type(id) == 'string' and redis.call('HGET', KEYS[5], id) == lease
local record = isHeld and redis.call('HGET', KEYS[2], id)
return record and { now, lease, id, record, redis.call('HGET', KEYS[6], id) }
end
if ARGV[4] ~= '' then
redis.call('HDEL', KEYS[7], '') -- a write before the other one that Redis allows when it is out of memory
settled(session, seq, '')
return false
end
local settings = redis.call('HMGET', KEYS[1], 'paused', 'maxEvents', 'limitedTill', 'concurrency', 'max')
local isLimited = settings[1] or settings[4] or settings[5] or (tonumber(settings[3]) or 0) > now
if isLimited then return false end
local first = redis.call('ZRANGE', KEYS[3], '0', '1')
local id = first[1]
local record = id and redis.call('HGET', KEYS[2], id)
if not record then return false end
local facts = redis.call('HGET', KEYS[6], id)
local clock = time[1] .. ('00000' .. time[2]):sub(-6, -4)
local lease = session .. ':' .. seq .. '|' .. clock
redis.call('ZREMRANGEBYRANK', KEYS[3], '0', '0')
redis.call('ZADD', KEYS[4], string.format('%.0f', now + tonumber(ARGV[3])), id)
redis.call('HSET', KEYS[5], id, lease)
if first[2] then redis.call('ZADD', KEYS[8], '0', '0') end -- wakes the next worker
settled(session, seq, { lease, id })
publish(tonumber(settings[2] or 10000), 1, 'active', id)
return { now, lease, id, record, facts }`,
  transfer: `local target = { meta = KEYS[22], job = KEYS[23], wait = KEYS[24], state = KEYS[25], history = KEYS[26], marker = KEYS[27], events = KEYS[28] }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local BAND = 4294967296
local ORIGIN = -2251799813685248
local function band(priority)
if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
local low = priority * BAND
return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end
local tails, heads = {}, {}
local function tail(priority)
local at = tails[priority]
if not at then
local low, high, _, _, origin = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], high, low, 'WITHSCORES', 'LIMIT', 0, 1)
at = last[2] and tonumber(last[2]) or origin
end
local _, _, _, top = band(priority)
at = math.min(at + 1, top)
tails[priority] = at
return at
end
local function head(priority)
local at = heads[priority]
if not at then
local low, high, _, _, origin = band(priority)
local first = redis.call('ZRANGEBYSCORE', KEYS[3], low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', KEYS[20], 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
if not (limit and limit > 0 and limit < 9007199254740992) then limit = 10000 end
redis.call('XADD', KEYS[21], 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
if not readable or type(known) ~= 'table' then return {} end
for _, name in ipairs(COUNTS) do
local count = known[name]
if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
end
for _, name in ipairs(TEXTS) do
if type(known[name]) ~= 'string' then known[name] = nil end
end
for name, size in pairs(LISTS) do
if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
end
if known.pr and known.pr > 2097151 then known.pr = nil end
return known
end
local function facts(id)
return readFacts(redis.call('HGET', KEYS[10], id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', KEYS[10], id) else redis.call('HSET', KEYS[10], id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', KEYS[12], id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', KEYS[12], id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', KEYS[18], unpack(slice))) do
if tally then
redis.call('HDEL', KEYS[18], slice[i])
redis.call('SADD', KEYS[19], slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', KEYS[2], ids)
if redis.call('EXISTS', KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[18]) == 0 then return end
if redis.call('EXISTS', KEYS[18]) == 1 then forgetBooks(ids) end
for _, column in ipairs({ KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14] }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', KEYS[15]) == 1 then eachChunk('ZREM', KEYS[15], ids) end
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local moved = {}
local function enter(hash, fields)
local size = #fields
if size <= 32 then return redis.call('HSET', hash, unpack(fields)) end
fields[size + 1], fields[size + 2] = '', ('-'):rep(65)
redis.call('HSET', hash, unpack(fields))
redis.call('HDEL', hash, '')
end
local letters, posted = {}, 0
local written = {}
local function write(id, known, ending, result, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local last = written[known]
if not last or last[1] ~= ending or last[2] ~= stamp then
last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
written[known] = last
end
letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end
local function post()
if #letters == posted then return end
redis.call('HSET', KEYS[1], 'flows', 1)
for from = posted + 1, #letters, 4000 do
enter(KEYS[17], { unpack(letters, from, math.min(from + 3999, #letters)) })
end
posted = #letters
end
local function isKept(last)
return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
and type(last[4]) == 'number' and type(last[5]) == 'number'
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', KEYS[16], dedupId)
if not packed then return end
local readable, entry = pcall(cmsgpack.unpack, packed)
if not readable or type(entry) ~= 'table' then return redis.call('HDEL', KEYS[16], dedupId) end
if entry.id ~= id then return end
local kept = isKept(entry.last) and entry.last
if kept and redis.call('HSETNX', KEYS[2], kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', KEYS[10], keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', KEYS[4], now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', KEYS[3], lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', KEYS[16], dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', KEYS[16], dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', KEYS[11], id) == 1 and (known.po or redis.call('HEXISTS', KEYS[17], id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', KEYS[10]) == 0 then return end
local read = {} -- siblings have the same facts
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', KEYS[10], unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = read[value] or readFacts(value), ids[from + i - 1]
read[value] = known
if known.de then releaseId(known.de, id) end
if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
write(id, known, told, outcomes and outcomes[from + i - 1] or '')
end
end
end
end
post()
end
local items, bury = cmsgpack.unpack(ARGV[3]), ARGV[4] == 'bury'
local flags, gone, outcomes, arrived = {}, {}, {}, {}
local function holds(id, lease)
if lease ~= '' then return redis.call('HGET', KEYS[9], id) == lease end
if bury then return redis.call('ZSCORE', KEYS[8], id) end
return redis.call('HEXISTS', KEYS[9], id) == 0
end
local function isThere(id)
local packed = bury and redis.call('HGET', target.state, id)
local origin = packed and readFacts(packed).dl
local there = origin and origin[1] == ARGV[1] and origin[2] == ARGV[2] and redis.call('HEXISTS', KEYS[2], id) == 0
if there then redis.call('HSET', target.state, id, packed) end
return there
end
local function freeId(id)
return redis.call('HEXISTS', target.job, id) == 1 and id .. '~' .. string.format('%.0f', now) or id
end
typed({ KEYS[1], KEYS[2], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[16], KEYS[17], KEYS[18] }, { KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[15], KEYS[20] }, KEYS[21], KEYS[19])
typed({ target.meta, target.job, target.state, target.history }, { target.wait, target.marker }, target.events)
for i = 1, #items, 5 do
local id, lease, attemptsMade, entry, result = unpack(items, i, i + 4)
local record = holds(id, lease) and redis.call('HGET', KEYS[2], id)
flags[#flags + 1] = (record or isThere(id)) and 1 or 0
if record then
if entry ~= '' then chronicle(id, entry) end
local known, past = facts(id), redis.call('HGET', KEYS[12], id)
if result == '' then result = redis.call('HGET', KEYS[11], id) or '' end
local readable, ended = pcall(cmsgpack.unpack, result)
local reason = readable and type(ended) == 'table' and type(ended[1]) == 'string' and ended[1] or ''
local origin = bury and { ARGV[1], ARGV[2], now, attemptsMade, reason } or nil
local there, priority = freeId(id), known.pr or 0
redis.call('HSET', target.job, there, record)
if origin or priority > 0 then redis.call('HSET', target.state, there, cmsgpack.pack({ dl = origin, pr = priority > 0 and priority or nil })) end
if past then redis.call('HSET', target.history, there, past) end
local low, high, _, top, start = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', target.wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
redis.call('ZADD', target.wait, math.min((last[2] and tonumber(last[2]) or start) + 1, top), there)
gone[#gone + 1], outcomes[#outcomes + 1], arrived[#arrived + 1] = id, result, { 'waiting', there }
moved[#moved + 1] = bury and lease ~= '' and { 'failed', id, result } or { 'removed', id }
end
end
if #gone > 0 then
for _, set in ipairs({ KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8] }) do redis.call('ZREM', set, unpack(gone)) end
redis.call('HDEL', KEYS[9], unpack(gone))
release(gone, bury and 'dropped' or 'removed', outcomes)
forget(gone)
local here = tonumber(redis.call('HGET', KEYS[1], 'maxEvents') or 10000)
publish(here, #gone, 'moved', cmsgpack.pack(moved))
local settings = redis.call('HMGET', target.meta, 'paused', 'maxEvents')
if not settings[1] then redis.call('ZADD', target.marker, 0, '0') end
if settings[2] ~= '0' then
redis.call('XADD', target.events, 'MAXLEN', '~', settings[2] or 10000, '*', 'moved', cmsgpack.pack(arrived))
end
end
return { flags, letters }`,
  updateData: `if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`,
  upsertSchedule: `local function wake()
redis.call('ZADD', KEYS[5], 0, '0')
end
local function nextSlot()
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', KEYS[1], 'nextSlot', first[2]) else redis.call('HDEL', KEYS[1], 'nextSlot') end
end
local function pastRuns(id)
local readable, past = pcall(cmsgpack.unpack, redis.call('HGET', KEYS[4], id) or '')
if readable and type(past) == 'table' and type(past.count) == 'number' then return past end
return { count = 0 }
end
local function typed(hashes, sets, stream, members)
for _, key in ipairs(hashes) do redis.call('HEXISTS', key, '') end
for _, key in ipairs(sets) do redis.call('ZSCORE', key, '') end
if stream then redis.call('XLEN', stream) end
if members then redis.call('SISMEMBER', members, '') end
end
local id, trace = ARGV[1], ARGV[4]
local slot = redis.call('ZSCORE', KEYS[2], id)
local isSame = slot and redis.call('HGET', KEYS[3], id) == ARGV[2]
local past = pastRuns(id)
typed({ KEYS[1], KEYS[3], KEYS[4] }, { KEYS[2], KEYS[5] })
if trace ~= (past.trace or '') and not (isSame and trace == '') then
past.trace = trace ~= '' and trace or nil
redis.call('HSET', KEYS[4], id, cmsgpack.pack(past))
end
if isSame then return { tonumber(slot), 0, past.count } end
redis.call('HSET', KEYS[3], id, ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], id)
nextSlot()
wake()
return { tonumber(ARGV[3]), 1, past.count }`,
};
