// Generated from lua/ by "npm run build"; do not edit.

export type ScriptName = 'appendLog' | 'clean' | 'counts' | 'enqueue' | 'fetch' | 'fireSchedule' | 'pause' | 'promote' | 'recover' | 'redrive' | 'removeSchedule' | 'remove' | 'renew' | 'reportProgress' | 'reprioritize' | 'reschedule' | 'settle' | 'sweep' | 'updateData' | 'upsertSchedule';

export const lua: Readonly<Record<ScriptName, string>> = {
  appendLog: `local job, logs = KEYS[1], KEYS[2]
if redis.call('HEXISTS', job, ARGV[1]) == 0 then return -1 end
local stored = redis.call('HGET', logs, ARGV[1])
local count, value, keep = 0, '', tonumber(ARGV[3])
if stored then count, value = struct.unpack('>I4', stored), stored:sub(5) end
if ARGV[2] ~= '' then count, value = count + 1, value .. ARGV[2] end
while count > 0 and ((keep >= 0 and count > keep) or #value > 1048576) do
local offset = cmsgpack.unpack_one(value, 0)
value = offset > 0 and value:sub(offset + 1) or ''
count = count - 1
end
if count == 0 then redis.call('HDEL', logs, ARGV[1]) else redis.call('HSET', logs, ARGV[1], struct.pack('>I4', count) .. value) end
return count`,
  clean: `local set, meta, job, wait, run, state, outcome, history, progress, logs, expire, dedup, outbox, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local moved = {}
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept then
redis.call('HSETNX', job, kept[1], kept[2])
if kept[3] ~= '' then redis.call('HSET', state, kept[1], kept[3]) end
redis.call('ZADD', wait, tail(kept[4]), kept[1])
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = kept[1], till = entry.till }))
moved[#moved + 1] = { 'waiting', kept[1] }
wake()
elseif entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = cmsgpack.unpack(value), ids[from + i - 1]
if known.de then releaseId(known.de, id) end
if known.pk then
redis.call('HSET', outbox, id, cmsgpack.pack({ known.pk, ending, outcomes and outcomes[from + i - 1] or '' }))
end
end
end
end
end
local till = ARGV[2]
if till:sub(1, 4) == 'ago:' then till = now - tonumber(till:sub(5)) end
local ids = redis.call('ZRANGEBYSCORE', set, ARGV[4], till, 'LIMIT', 0, tonumber(ARGV[1]))
if #ids == 0 then return ids end
redis.call('ZREM', set, unpack(ids))
redis.call('HDEL', run, unpack(ids))
release(ids, 'removed')
forget(ids)
if ARGV[3] ~= '' then
for _, id in ipairs(ids) do moved[#moved + 1] = { ARGV[3], id } end
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
return ids`,
  counts: `local meta, wait, delayed, active, parents, completed, failed =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local waiting = redis.call('ZCOUNT', wait, '-inf', '(0')
return {
waiting, redis.call('ZCARD', wait) - waiting, redis.call('ZCARD', delayed), redis.call('ZCARD', active),
redis.call('ZCARD', parents), redis.call('ZCARD', completed), redis.call('ZCARD', failed),
redis.call('HEXISTS', meta, 'paused'),
}`,
  enqueue: `local meta, job, wait, delayed, active, state, sessions, dedup, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HSET', sessions, session, last) -- a write, so that a WAIT after a repeat waits for something
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local notes = {}
local function deduplicated(rule, id, item)
if rule == '' then return false end
local dedupId, ttlMs, extend, replace, keepLast, reschedule = unpack(rule)
local till = ttlMs > 0 and now + ttlMs or 0
local packed = redis.call('HGET', dedup, dedupId)
local entry = packed and cmsgpack.unpack(packed)
if entry and entry.till ~= 0 and entry.till <= now then entry = nil end
if entry and entry.till == 0 and redis.call('HEXISTS', job, entry.id) == 0 then entry = nil end
if entry and replace == 1 and redis.call('ZREM', delayed, entry.id) == 1 then
redis.call('HDEL', job, entry.id)
redis.call('HDEL', state, entry.id)
notes[#notes + 1] = { 'removed', entry.id, 'delayed' }
if extend ~= 1 and entry.till ~= 0 then till = entry.till end
entry = nil
end
if not entry then
if redis.call('HEXISTS', job, id) == 0 then redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = id, till = till })) end
return false
end
if reschedule == 1 and redis.call('ZSCORE', delayed, entry.id) then
redis.call('ZADD', delayed, now + item[3], entry.id)
notes[#notes + 1] = { 'delayed', entry.id, now + item[3] }
end
if keepLast == 1 and redis.call('ZSCORE', active, entry.id) then
entry.last = { item[1], item[2], item[6], item[4] }
elseif not (extend == 1 and ttlMs > 0) then
return entry.id
end
if extend == 1 and ttlMs > 0 then entry.till = till end
redis.call('HSET', dedup, dedupId, cmsgpack.pack(entry))
return entry.id
end
local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then return earlier end
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
local plain, special = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
local ids, scores, outcomes = {}, {}, {}
if #plain > 0 then
redis.call('HSET', job, unpack(plain))
local at = tail(0) - 1
for i = 1, #plain, 2 do
at = at + 1
scores[i], scores[i + 1] = at, plain[i]
ids[#ids + 1] = plain[i]
end
tails[0] = at
redis.call('ZADD', wait, unpack(scores))
end
local ready, soonest = #plain > 0, false
for i, item in ipairs(special) do
local id, record, delayMs, priority, lifo, packed, rule = unpack(item)
local standing = deduplicated(rule, id, item)
if not standing and redis.call('HSETNX', job, id, record) == 0 then standing = id end
outcomes[i] = standing or ''
if standing then
notes[#notes + 1] = { standing == id and 'duplicated' or 'deduplicated', standing, id, rule ~= '' and rule[1] or '' }
else
if packed ~= '' then redis.call('HSET', state, id, packed) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, id)
if redis.call('ZRANK', delayed, id) == 0 then soonest = true end
notes[#notes + 1] = { 'delayed', id, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), id)
notes[#notes + 1] = { 'waiting', id }
ready = true
end
end
end
if not settings[1] and (ready or soonest) then wake() end
local reply = { now, unpack(outcomes) }
settled(session, seq, reply)
publish(tonumber(settings[2] or 10000), #ids + #special, 'added', table.concat(ids, '\\n'), 'names', ARGV[5],
'moved', #notes > 0 and cmsgpack.pack(notes) or '')
return reply`,
  fetch: `local job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local sets = { { 'wait', wait }, { 'delayed', delayed }, { 'active', active }, { 'parents', parents },
{ 'completed', completed }, { 'failed', failed } }
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
reply[i] = { place, score, column(job), column(state), column(outcome), column(history), column(progress), column(run) }
end
return reply`,
  fireSchedule: `local meta, job, wait, delayed, active, state, schedules, schedule, scheduleRuns, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function nextSlot()
local first = redis.call('ZRANGE', schedules, 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', meta, 'nextSlot', first[2]) else redis.call('HDEL', meta, 'nextSlot') end
end
local id = ARGV[1]
if tonumber(redis.call('ZSCORE', schedules, id) or -1) ~= tonumber(ARGV[3]) then return -1 end
if redis.call('HGET', schedule, id) ~= ARGV[2] then return -1 end
local packed = redis.call('HGET', scheduleRuns, id)
local past = packed and cmsgpack.unpack(packed) or { count = 0 }
local function unfinished(run)
return redis.call('ZSCORE', wait, run) or redis.call('ZSCORE', active, run) or redis.call('ZSCORE', delayed, run)
end
local skipped = ARGV[6] == 'skip' and past.last and unfinished(past.last)
local created = {}
for _, run in ipairs(skipped and {} or cmsgpack.unpack(ARGV[5])) do
if redis.call('HSETNX', job, run[1], run[2]) == 1 then
if run[4] ~= '' then redis.call('HSET', state, run[1], run[4]) end
redis.call('ZADD', wait, tail(run[3]), run[1])
created[#created + 1] = run[1]
end
past.last = run[1]
end
past.count = past.count + #created
redis.call('HSET', scheduleRuns, id, cmsgpack.pack(past))
if ARGV[4] == '' then
redis.call('ZREM', schedules, id)
redis.call('HDEL', schedule, id)
redis.call('HDEL', scheduleRuns, id)
else
redis.call('ZADD', schedules, ARGV[4], id)
end
nextSlot()
if #created > 0 then
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #created, 'added', table.concat(created, '\\n'), 'names', ARGV[7], 'moved', '')
end
return #created`,
  pause: `local meta, marker, events = KEYS[1], KEYS[2], KEYS[3]
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local changed
if ARGV[1] == '1' then
changed = redis.call('HSET', meta, 'paused', 1)
else
changed = redis.call('HDEL', meta, 'paused')
wake()
end
if changed == 1 then
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1,
'moved', cmsgpack.pack({ { ARGV[1] == '1' and 'paused' or 'resumed' } }))
end
return changed`,
  promote: `local meta, wait, delayed, state, marker, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local ids
if ARGV[3] ~= '' then
ids = {}
for _, id in ipairs(cmsgpack.unpack(ARGV[3])) do
if redis.call('ZSCORE', delayed, id) then ids[#ids + 1] = id end
end
else
local till = ARGV[2] == '1' and '+inf' or now
ids = redis.call('ZRANGEBYSCORE', delayed, '-inf', till, 'LIMIT', 0, tonumber(ARGV[1]))
end
if #ids > 0 then
local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or {}
local scores, moved = {}, {}
for i, id in ipairs(ids) do
local priority = states[i] and cmsgpack.unpack(states[i]).pr or 0
scores[2 * i - 1], scores[2 * i] = tail(priority), id
moved[i] = { 'waiting', id, 'delayed' }
end
redis.call('ZREM', delayed, unpack(ids))
redis.call('ZADD', wait, unpack(scores))
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
return { #ids, first[2] and tonumber(first[2]) or 0 }`,
  recover: `local meta, job, wait, active, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function facts(id)
local packed = redis.call('HGET', state, id)
return packed and cmsgpack.unpack(packed) or {}
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local offset = cmsgpack.unpack_limit(value, 2, 0)
if offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', history, id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local function trim(set, keep)
if keep < 0 then return end
local excess = redis.call('ZCARD', set) - keep
if excess <= 0 then return end
local ids = redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)
redis.call('ZREM', set, unpack(ids))
forget(ids)
end
local moved = {}
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept then
redis.call('HSETNX', job, kept[1], kept[2])
if kept[3] ~= '' then redis.call('HSET', state, kept[1], kept[3]) end
redis.call('ZADD', wait, tail(kept[4]), kept[1])
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = kept[1], till = entry.till }))
moved[#moved + 1] = { 'waiting', kept[1] }
wake()
elseif entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = cmsgpack.unpack(value), ids[from + i - 1]
if known.de then releaseId(known.de, id) end
if known.pk then
redis.call('HSET', outbox, id, cmsgpack.pack({ known.pk, ending, outcomes and outcomes[from + i - 1] or '' }))
end
end
end
end
end
local expired = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local maxStalled, settings = tonumber(ARGV[1]), redis.call('HMGET', meta, 'paused', 'maxEvents')
local reply, buried, outcomes = {}, {}, {}
for i = #expired - 1, 1, -2 do
local id, started = expired[i], tonumber(expired[i + 1]) % 1 ~= 0
local lease, known = redis.call('HGET', run, id) or '', facts(id)
local token, startedAt = lease:match('^(.*)|(%d+)$')
local worker = token and (token:match('^(.*):[^:]*$') or token) or ''
if started then
known.sc, known.as, known.su = (known.sc or 0) + 1, (known.as or 0) + 1, nil
else
known.su = 1
end
redis.call('ZREM', active, id)
redis.call('HDEL', run, id)
remember(id, known)
local dead = started and known.sc > maxStalled
if started then
chronicle(id, cmsgpack.pack({ worker = worker, message = 'job stalled: its worker stopped renewing the lease' }))
end
if dead then
local reason = cmsgpack.pack({ 'job stalled more than allowable limit', tonumber(startedAt or 0), worker })
redis.call('ZADD', failed, now, id)
redis.call('HSET', outcome, id, reason)
buried[#buried + 1], outcomes[#outcomes + 1] = id, reason
moved[#moved + 1] = { 'stalled', id }
moved[#moved + 1] = { 'failed', id, reason }
else
redis.call('ZADD', wait, head(known.pr or 0), id)
if started then moved[#moved + 1] = { 'stalled', id } end
moved[#moved + 1] = { 'waiting', id, 'active' }
end
reply[#reply + 1] = { id, known.sc or 0, worker, dead and 1 or 0, started and 1 or 0 }
end
release(buried, 'failed', outcomes)
if #buried > 0 then trim(failed, tonumber(ARGV[3])) end
if #reply > 0 then
if not settings[1] and #reply > #buried then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')
return { reply, first[2] and math.ceil(tonumber(first[2])) or 0 }`,
  redrive: `local set, meta, job, wait, state, outcome, history, progress, expire, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function facts(id)
local packed = redis.call('HGET', state, id)
return packed and cmsgpack.unpack(packed) or {}
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local given = ARGV[3] ~= ''
local ids = given and cmsgpack.unpack(ARGV[3])
or redis.call('ZRANGEBYSCORE', set, '-inf', ARGV[2], 'LIMIT', 0, tonumber(ARGV[1]))
local flags, moved = {}, {}
for i, id in ipairs(ids) do
if not redis.call('ZSCORE', set, id) then
flags[i] = redis.call('HEXISTS', job, id) == 1 and 0 or -1
else
flags[i] = 1
local known = facts(id)
redis.call('ZREM', set, id)
redis.call('ZADD', wait, tail(known.pr or 0), id)
redis.call('HDEL', outcome, id)
redis.call('HDEL', progress, id)
redis.call('ZREM', expire, id)
if ARGV[4]:find('m') then known.am = nil end
if ARGV[4]:find('s') then known.as = nil end
known.sc, known.su, known.df = nil, nil, nil
remember(id, known)
moved[#moved + 1] = { 'waiting', id, ARGV[5] }
end
end
if #moved > 0 then
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return given and flags or #moved`,
  removeSchedule: `local meta, schedules, schedule, scheduleRuns = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function nextSlot()
local first = redis.call('ZRANGE', schedules, 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', meta, 'nextSlot', first[2]) else redis.call('HDEL', meta, 'nextSlot') end
end
local removed = redis.call('ZREM', schedules, ARGV[1])
redis.call('HDEL', schedule, ARGV[1])
redis.call('HDEL', scheduleRuns, ARGV[1])
nextSlot()
return removed`,
  remove: `local meta, job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local moved = {}
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept then
redis.call('HSETNX', job, kept[1], kept[2])
if kept[3] ~= '' then redis.call('HSET', state, kept[1], kept[3]) end
redis.call('ZADD', wait, tail(kept[4]), kept[1])
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = kept[1], till = entry.till }))
moved[#moved + 1] = { 'waiting', kept[1] }
wake()
elseif entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = cmsgpack.unpack(value), ids[from + i - 1]
if known.de then releaseId(known.de, id) end
if known.pk then
redis.call('HSET', outbox, id, cmsgpack.pack({ known.pk, ending, outcomes and outcomes[from + i - 1] or '' }))
end
end
end
end
end
local ids, flags, gone = cmsgpack.unpack(ARGV[1]), {}, {}
for i, id in ipairs(ids) do
if redis.call('HEXISTS', run, id) == 1 then flags[i] = -1
elseif redis.call('HEXISTS', job, id) == 0 then flags[i] = 0
else
flags[i] = 1
gone[#gone + 1] = id
moved[#moved + 1] = { 'removed', id }
end
end
if #gone > 0 then
for _, set in ipairs({ wait, delayed, parents, completed, failed }) do redis.call('ZREM', set, unpack(gone)) end
release(gone, 'removed')
forget(gone)
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #gone, 'moved', cmsgpack.pack(moved))
end
return flags`,
  renew: `local active, run = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases = cmsgpack.unpack(ARGV[2])
local ids, scores, lost = {}, {}, {}
for i = 1, #leases, 2 do ids[#ids + 1] = leases[i] end
local held = redis.call('HMGET', run, unpack(ids))
local deadline = now + tonumber(ARGV[1]) + 0.5
for i, id in ipairs(ids) do
if held[i] == leases[2 * i] then
local k = #scores
scores[k + 1], scores[k + 2] = deadline, id
else
lost[#lost + 1] = i - 1
end
end
if #scores > 0 then redis.call('ZADD', active, 'XX', unpack(scores)) end
return lost`,
  reportProgress: `local meta, job, progress, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
if redis.call('HEXISTS', job, ARGV[1]) == 0 then return 0 end
redis.call('HSET', progress, ARGV[1], ARGV[2])
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1,
'moved', cmsgpack.pack({ { 'progress', ARGV[1], ARGV[2] } }))
return 1`,
  reprioritize: `local job, wait, state = KEYS[1], KEYS[2], KEYS[3]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function facts(id)
local packed = redis.call('HGET', state, id)
return packed and cmsgpack.unpack(packed) or {}
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local id, priority = ARGV[1], tonumber(ARGV[2])
if redis.call('HEXISTS', job, id) == 0 then return 0 end
local known = facts(id)
known.pr = priority
remember(id, known)
if redis.call('ZSCORE', wait, id) then
redis.call('ZREM', wait, id)
redis.call('ZADD', wait, ARGV[3] == '1' and head(priority) or tail(priority), id)
end
return 1`,
  reschedule: `local meta, job, delayed, marker, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
if not redis.call('ZSCORE', delayed, ARGV[1]) then return redis.call('HEXISTS', job, ARGV[1]) - 1 end
local due = now + tonumber(ARGV[2])
redis.call('ZADD', delayed, due, ARGV[1])
if redis.call('ZRANK', delayed, ARGV[1]) == 0 then wake() end
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1, 'moved', cmsgpack.pack({ { 'delayed', ARGV[1], due } }))
return due`,
  settle: `local meta, job, wait, delayed, active, completed, failed, run, state, outcome, history, progress, logs, expire, sessions, dedup, outbox, marker, rate, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20]
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
local last = redis.call('ZREVRANGEBYSCORE', wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
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
local first = redis.call('ZRANGEBYSCORE', wait, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
at = first[2] and tonumber(first[2]) or origin + 1
end
local _, _, bottom = band(priority)
at = math.max(at - 1, bottom)
heads[priority] = at
return at
end
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(100, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HSET', sessions, session, last) -- a write, so that a WAIT after a repeat waits for something
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local function facts(id)
local packed = redis.call('HGET', state, id)
return packed and cmsgpack.unpack(packed) or {}
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local offset = cmsgpack.unpack_limit(value, 2, 0)
if offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', history, id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local function trim(set, keep)
if keep < 0 then return end
local excess = redis.call('ZCARD', set) - keep
if excess <= 0 then return end
local ids = redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)
redis.call('ZREM', set, unpack(ids))
forget(ids)
end
local function allowance(max, durationMs)
local entry = redis.call('LINDEX', rate, 0)
local count = tonumber(redis.call('HGET', meta, 'rateCount') or 0)
local steps = 0
while entry and steps < 1000 do
steps = steps + 1
local at, starts = entry:match('^(%d+) (%d+)$')
if tonumber(at) + durationMs > now then
return math.max(0, max - count), tonumber(at) + durationMs - now
end
redis.call('LPOP', rate)
count = redis.call('HINCRBY', meta, 'rateCount', -tonumber(starts))
entry = redis.call('LINDEX', rate, 0)
end
if not entry then redis.call('HDEL', meta, 'rateCount') end
return entry and 0 or max, 1
end
local function takeJobs(wanted, lease, leaseMs, max, durationMs, settings, prefetch)
local none = { 0, '', '', '', '', 0, '', '' }
if settings.paused then none[6] = -1 return none end
if settings.limitedTill > now then none[6] = settings.limitedTill - now return none end
if settings.max then max, durationMs = settings.max, settings.duration end
if settings.concurrency or max > 0 then wanted = wanted - prefetch end
if settings.concurrency then
wanted = math.min(wanted, settings.concurrency - redis.call('ZCARD', active))
end
if max > 0 and wanted > 0 then
local left, waitMs = allowance(max, durationMs)
if left == 0 then none[6] = math.max(1, waitMs) end
wanted = math.min(wanted, left)
end
if wanted <= 0 then return none end
local popped = redis.call('ZPOPMIN', wait, wanted)
if #popped == 0 then return none end
local ids, prioritized = {}, false
for i = 1, #popped, 2 do
ids[#ids + 1] = popped[i]
if popped[i + 1]:byte() ~= 45 then prioritized = true end -- only priority 0 has scores that start with "-"
end
local records = redis.call('HMGET', job, unpack(ids))
local missing = {}
for i = #ids, 1, -1 do
if not records[i] then
missing[#missing + 1] = table.remove(ids, i)
table.remove(records, i)
table.remove(popped, 2 * i)
table.remove(popped, 2 * i - 1)
end
end
if #ids == 0 then none[7] = table.concat(missing, '\\n') return none end
local deadlines, leases, sizes, priorities = {}, {}, {}, ''
local deadline = now + leaseMs
for i, id in ipairs(ids) do
local k = 2 * i
deadlines[k - 1], deadlines[k] = deadline, id
leases[k - 1], leases[k] = id, lease
sizes[i] = #records[i]
end
redis.call('ZADD', active, unpack(deadlines))
redis.call('HSET', run, unpack(leases))
if max > 0 then
redis.call('RPUSH', rate, now .. ' ' .. #ids)
redis.call('HINCRBY', meta, 'rateCount', #ids)
end
if prioritized then
local each = {}
for i = 2, #popped, 2 do each[#each + 1] = math.max(0, math.floor(tonumber(popped[i]) / BAND)) end
priorities = table.concat(each, '\\n')
end
local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or ''
return { #ids, table.concat(ids, '\\n'), table.concat(records), states, priorities, 0, table.concat(missing, '\\n'), table.concat(sizes, ' ') }
end
local function retake(lease, joined)
local ids, records, states, sizes = {}, {}, {}, {}
for id in joined:gmatch('[^\\n]+') do
local record = redis.call('HGET', run, id) == lease and redis.call('HGET', job, id)
if record then
ids[#ids + 1], records[#records + 1], states[#states + 1] = id, record, redis.call('HGET', state, id)
sizes[#sizes + 1] = #record
end
end
return { #ids, table.concat(ids, '\\n'), table.concat(records), states, '', 0, '', table.concat(sizes, ' ') }
end
local function takeSettings()
local raw = redis.call('HMGET', meta, 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot')
return {
paused = raw[1], limitedTill = tonumber(raw[2] or 0), concurrency = tonumber(raw[3]),
max = tonumber(raw[4]), duration = tonumber(raw[5]), maxEvents = tonumber(raw[6] or 10000), nextSlot = tonumber(raw[7] or 0),
}
end
local function nextDue(idle, nextSlot)
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
local due, expires = first[2] and tonumber(first[2]) or 0, 0
if nextSlot > 0 and (due == 0 or nextSlot < due) then due = nextSlot end
if idle then
local lease = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')
expires = lease[2] and math.ceil(tonumber(lease[2])) or 0
end
return due, expires
end
local moved = {}
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept then
redis.call('HSETNX', job, kept[1], kept[2])
if kept[3] ~= '' then redis.call('HSET', state, kept[1], kept[3]) end
redis.call('ZADD', wait, tail(kept[4]), kept[1])
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = kept[1], till = entry.till }))
moved[#moved + 1] = { 'waiting', kept[1] }
wake()
elseif entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = cmsgpack.unpack(value), ids[from + i - 1]
if known.de then releaseId(known.de, id) end
if known.pk then
redis.call('HSET', outbox, id, cmsgpack.pack({ known.pk, ending, outcomes and outcomes[from + i - 1] or '' }))
end
end
end
end
end
local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
if earlier.err then return earlier end
local again = retake(earlier[2], earlier[3])
return { earlier[1], now, earlier[2], unpack(again) }
end
local items, wanted = cmsgpack.unpack(ARGV[3]), tonumber(ARGV[5])
local settings = takeSettings()
local ids, held = {}, {}
for i = 1, #items, 4 do ids[#ids + 1] = items[i] end
if #ids > 0 then held = redis.call('HMGET', run, unpack(ids)) end
local refused, freed, forgotten, results = {}, {}, {}, {}
local kept, done = {}, {}
for i, id in ipairs(ids) do
local at = 4 * i
if held[i] ~= items[at - 2] then
refused[#refused + 1] = i - 1
else
held[i] = true
freed[#freed + 1] = id
end
end
if #freed > 0 then
redis.call('ZREM', active, unpack(freed))
redis.call('HDEL', run, unpack(freed))
end
local buried, buriedOutcomes, dropped, returned = {}, {}, {}, false
local function fail(id, payload)
local known = facts(id)
known.am, known.as = payload[2], (known.as or 0) + 1
buried[#buried + 1], buriedOutcomes[#buriedOutcomes + 1] = id, payload[1]
moved[#moved + 1] = { 'failed', id, payload[1] }
if payload[4] == 0 then
dropped[#dropped + 1] = id
return
end
remember(id, known)
chronicle(id, payload[3])
redis.call('ZADD', failed, now, id)
redis.call('HSET', outcome, id, payload[1])
if payload[4] then redis.call('ZADD', expire, payload[4] < 0 and '+inf' or now + payload[4], id) end
end
local function retry(id, payload)
local known = facts(id)
known.am, known.as = payload[2], (known.as or 0) + 1
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
known.as = (known.as or 0) + 1
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
for i = #ids, 1, -1 do
if held[i] == true then
local id, kind, payload = ids[i], items[4 * i - 1], items[4 * i]
if kind == 5 then putBack(id, 0, false)
elseif kind == 6 then putBack(id, payload[1], true) end
end
end
for i, id in ipairs(ids) do
if held[i] == true then
local kind, payload = items[4 * i - 1], items[4 * i]
if kind <= 2 then
local result = kind == 2 and payload[1] or payload
done[#done + 1], results[#results + 1] = id, result
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
end
if #kept > 0 then
local scores = {}
for i = 1, #kept, 2 do scores[i], scores[i + 1] = now, kept[i] end
redis.call('ZADD', completed, unpack(scores))
redis.call('HSET', outcome, unpack(kept))
end
release(done, 'completed', results)
release(buried, 'failed', buriedOutcomes)
forget(forgotten)
forget(dropped)
if #kept > 0 then trim(completed, tonumber(ARGV[9])) end
if #buried > 0 then trim(failed, tonumber(ARGV[10])) end
local token = ARGV[4] ~= '' and ARGV[4] or session .. ':' .. seq
local lease = token .. '|' .. string.format('%.0f', now)
local taken = wanted > 0
and takeJobs(wanted, lease, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), settings, tonumber(ARGV[12]))
or { 0, '', '', '', '', 0, '', '' }
local count = taken[1]
settled(session, seq, { refused, lease, taken[2] })
local more = returned or (settings.concurrency and count < #freed) or (ARGV[11] == '1' and count == wanted)
if more and redis.call('ZCARD', wait) > 0 then wake() end
if wanted > 0 and count == 0 and #freed > 0 and redis.call('ZCARD', wait) == 0 then moved[#moved + 1] = { 'drained' } end
local changes = #done + #moved + count
if changes > 0 then
local entry = {}
local function note(field, value) entry[#entry + 1], entry[#entry + 2] = field, value end
if #done > 0 then note('done', table.concat(done, '\\n')) note('results', table.concat(results)) end
if #moved > 0 then note('moved', cmsgpack.pack(moved)) end
if count > 0 then note('active', taken[2]) end
publish(settings.maxEvents, changes, unpack(entry))
end
local due, expires = nextDue(count == 0, settings.nextSlot)
return { refused, now, lease, count, taken[2], taken[3], taken[4], taken[5], taken[6], taken[7], taken[8], due, expires }`,
  sweep: `local meta, job, completed, failed, state, outcome, history, progress, logs, expire, sessions, dedup =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local limit, forgotten, more = tonumber(ARGV[3]), 0, 0
local due = redis.call('ZRANGEBYSCORE', expire, '-inf', now, 'LIMIT', 0, limit)
if #due > 0 then
redis.call('ZREM', completed, unpack(due))
redis.call('ZREM', failed, unpack(due))
forget(due)
forgotten = #due
if #due == limit then more = 1 end
end
local function age(set, field, ageMs)
if ageMs < 0 then return end
local from = redis.call('HGET', meta, field) or '-inf'
local old = redis.call('ZRANGEBYSCORE', set, from, now - ageMs, 'WITHSCORES', 'LIMIT', 0, limit)
if #old == 0 then return end
local ids, gone = {}, {}
for i = 1, #old, 2 do ids[#ids + 1] = old[i] end
local own = redis.call('ZMSCORE', expire, unpack(ids))
for i, id in ipairs(ids) do
if not own[i] then gone[#gone + 1] = id end
end
local last = old[#old]
if #ids == limit and #gone == 0 and last == from then last = '(' .. last end
redis.call('HSET', meta, field, last)
if #gone == 0 then return end
redis.call('ZREM', set, unpack(gone))
forget(gone)
forgotten = forgotten + #gone
if #ids == limit then more = 1 end
end
age(completed, 'sweptCompleted', tonumber(ARGV[1]))
age(failed, 'sweptFailed', tonumber(ARGV[2]))
local function scan(key, cursorField, stale)
local page = redis.call('HSCAN', key, redis.call('HGET', meta, cursorField) or '0', 'COUNT', 100)
for i = 1, #page[2], 2 do
if stale(cmsgpack.unpack(page[2][i + 1])) then redis.call('HDEL', key, page[2][i]) end
end
if page[1] == '0' then redis.call('HDEL', meta, cursorField) else redis.call('HSET', meta, cursorField, page[1]) end
end
scan(sessions, 'sessionsCursor', function(call) return call[2] < now - tonumber(ARGV[4]) end)
scan(dedup, 'dedupCursor', function(entry)
if entry.till == 0 then return redis.call('HEXISTS', job, entry.id) == 0 end
return entry.till < now and not entry.last
end)
return { forgotten, more }`,
  updateData: `local job = KEYS[1]
if redis.call('HEXISTS', job, ARGV[1]) == 0 then return 0 end
redis.call('HSET', job, ARGV[1], ARGV[2])
return 1`,
  upsertSchedule: `local meta, schedules, schedule, marker = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function nextSlot()
local first = redis.call('ZRANGE', schedules, 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', meta, 'nextSlot', first[2]) else redis.call('HDEL', meta, 'nextSlot') end
end
local slot = redis.call('ZSCORE', schedules, ARGV[1])
if slot and redis.call('HGET', schedule, ARGV[1]) == ARGV[2] then return { tonumber(slot), 0 } end
redis.call('HSET', schedule, ARGV[1], ARGV[2])
redis.call('ZADD', schedules, ARGV[3], ARGV[1])
nextSlot()
wake()
return { tonumber(ARGV[3]), 1 }`,
};
