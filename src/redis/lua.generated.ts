// Generated from lua/ by "npm run build"; do not edit.

export type ScriptName = 'acknowledge' | 'adopt' | 'appendLog' | 'awaitChildren' | 'clean' | 'counts' | 'enqueue' | 'fetch' | 'fireSchedule' | 'forgetChildren' | 'inquire' | 'inspectEvents' | 'pause' | 'plant' | 'promote' | 'publishEvents' | 'receive' | 'recover' | 'redrive' | 'removeSchedule' | 'remove' | 'renew' | 'reportProgress' | 'reprioritize' | 'reschedule' | 'settle' | 'sweep' | 'transfer' | 'updateData' | 'upsertSchedule';

export const lua: Readonly<Record<ScriptName, string>> = {
  acknowledge: `local outbox = KEYS[1]
local letters, ids, arrived = cmsgpack.unpack(ARGV[1]), {}, {}
for i = 1, #letters, 2 do ids[#ids + 1] = letters[i] end
for i, stored in ipairs(redis.call('HMGET', outbox, unpack(ids))) do
local head = letters[2 * i]
if stored and stored:sub(1, #head) == head then arrived[#arrived + 1] = ids[i] end
end
return #arrived > 0 and redis.call('HDEL', outbox, unpack(arrived)) or 0`,
  adopt: `local meta, job, completed, failed, state, outcome, outbox =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function isHis(parent)
return parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end
local flags = {}
for i, id in ipairs(cmsgpack.unpack(ARGV[5])) do
local known = facts(id)
if redis.call('HEXISTS', job, id) == 0 then flags[i] = -1
elseif ARGV[3] == '' then
flags[i], known.pk, known.po = 1, nil, nil
remember(id, known)
elseif known.pk and not isHis(known.pk) then flags[i] = 0
else
flags[i] = 1
known.pk, known.po = { ARGV[1], ARGV[2], ARGV[3] }, ARGV[4] ~= '' and ARGV[4] or known.po
remember(id, known)
local result = redis.call('HGET', outcome, id) or ''
if redis.call('ZSCORE', completed, id) then write(id, known, 'completed', result)
elseif redis.call('ZSCORE', failed, id) then write(id, known, 'failed', result) end
end
end
post()
return { flags, letters }`,
  appendLog: `local job, logs, sessions = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
if earlier then return earlier end
if redis.call('HEXISTS', job, ARGV[1]) == 0 then return -1 end
local stored = redis.call('HGET', logs, ARGV[1])
local count, value, keep = 0, '', tonumber(ARGV[3])
if stored then count, value = struct.unpack('>I4', stored), stored:sub(5) end
if ARGV[2] ~= '' then count, value = count + 1, value .. ARGV[2] end
local from = 0
while count > 0 and ((keep >= 0 and count > keep) or #value - from > 1048576) do
local readable, offset = pcall(cmsgpack.unpack_one, value, from)
from = readable and offset > 0 and offset or #value
count = count - 1
end
if from > 0 then value = value:sub(from + 1) end
if count == 0 then redis.call('HDEL', logs, ARGV[1]) else redis.call('HSET', logs, ARGV[1], struct.pack('>I4', count) .. value) end
return told(count)`,
  awaitChildren: `local meta, active, parents, run, state, pending, events, children =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local text = redis.call('HGET', pending, id)
if not text then return nil end
local tally, i = {}, 0
for count in text:gmatch('%d+') do
i = i + 1
tally[kinds[i]] = tonumber(count)
end
return tally
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', pending, id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local id, child = ARGV[1], ARGV[3]
if redis.call('HGET', run, id) ~= ARGV[2] then
return redis.call('ZSCORE', parents, id) and 1 or -1
end
local known, tally = facts(id), tallyOf(id)
if known.df then return known.df end
if not (tally and waits(tally)) then return 0 end
if child ~= '' then
local entry = readEntry(redis.call('HGET', children, child))
if not entry or (entry[1] ~= 'open' and entry[1] ~= 'failing') then return 0 end
end
redis.call('ZREM', active, id)
redis.call('HDEL', run, id)
redis.call('ZADD', parents, now, id)
known.as, known.su = (known.as or 0) + 1, nil
remember(id, known)
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1,
'moved', cmsgpack.pack({ { 'waiting-children', id, 'active' } }))
return 1`,
  clean: `local set, meta, job, wait, delayed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, sessions, marker, events =
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local moved = {}
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = readFacts(value), ids[from + i - 1]
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
local ids = redis.call('ZRANGEBYSCORE', set, ARGV[4], till, 'LIMIT', 0, tonumber(ARGV[1]))
if #ids == 0 then return told({ ids, letters }) end
redis.call('ZREM', set, unpack(ids))
redis.call('HDEL', run, unpack(ids))
release(ids, 'removed')
forget(ids)
if ARGV[3] ~= '' then
for _, id in ipairs(ids) do moved[#moved + 1] = { ARGV[3], id } end
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
return told({ ids, letters })`,
  counts: `local meta, wait, delayed, active, parents, completed, failed =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local waiting = redis.call('ZCOUNT', wait, '-inf', '(0')
return {
waiting, redis.call('ZCARD', wait) - waiting, redis.call('ZCARD', delayed), redis.call('ZCARD', active),
redis.call('ZCARD', parents), redis.call('ZCARD', completed), redis.call('ZCARD', failed),
redis.call('HEXISTS', meta, 'paused'),
}`,
  enqueue: `local meta, job, wait, delayed, active, state, history, progress, logs, sessions, dedup, pending, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14]
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local notes = {}
local function isAlone(id)
return not facts(id).pk and redis.call('HEXISTS', pending, id) == 0
end
local function deduplicated(rule, id, item)
if rule == '' or redis.call('HEXISTS', job, id) == 1 then return false end
local dedupId, ttlMs, extend, replace, keepLast, reschedule = unpack(rule)
local till = ttlMs > 0 and keepLast ~= 1 and now + ttlMs or 0
local packed = redis.call('HGET', dedup, dedupId)
local entry = packed and cmsgpack.unpack(packed)
if entry and entry.till ~= 0 and entry.till <= now then entry = nil end
if entry and entry.till == 0 and redis.call('HEXISTS', job, entry.id) == 0 then entry = nil end
if entry and replace == 1 and isAlone(entry.id) and redis.call('ZREM', delayed, entry.id) == 1 then
for _, column in ipairs({ job, state, history, progress, logs }) do redis.call('HDEL', column, entry.id) end
notes[#notes + 1] = { 'removed', entry.id, 'delayed' }
if extend ~= 1 and keepLast ~= 1 and entry.till ~= 0 then till = entry.till end
entry = nil
end
if not entry then
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = id, till = till }))
return false
end
if reschedule == 1 and redis.call('ZSCORE', delayed, entry.id) then
redis.call('ZADD', delayed, now + item[3], entry.id)
if redis.call('ZRANK', delayed, entry.id) == 0 then wake() end
notes[#notes + 1] = { 'delayed', entry.id, now + item[3], 'delayed' }
end
if keepLast == 1 and redis.call('ZSCORE', active, entry.id) then
entry.last, entry.till = { id, item[2], item[6], item[4], item[3], item[5] }, 0
elseif extend == 1 and ttlMs > 0 then
entry.till = till
else
return entry.id
end
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
local at = string.format('%.0f', tail(0))
for i = 1, #plain, 2 do
scores[i], scores[i + 1] = at, plain[i]
ids[#ids + 1] = plain[i]
end
redis.call('ZADD', wait, unpack(scores))
end
local ready, soonest = #plain > 0, false
local placed, due, known = {}, {}, {}
local function place()
if #known > 0 then redis.call('HSET', state, unpack(known)) end
if #placed > 0 then redis.call('ZADD', wait, unpack(placed)) end
if #due > 0 then
redis.call('ZADD', delayed, unpack(due))
local first = redis.call('ZRANGE', delayed, 0, 0)[1]
for i = 2, #due, 2 do soonest = soonest or due[i] == first end
end
placed, due, known = {}, {}, {}
end
for i, item in ipairs(special) do
local id, record, delayMs, priority, lifo, packed, rule = unpack(item)
if rule ~= '' then place() end
local standing = deduplicated(rule, id, item)
if not standing and redis.call('HSETNX', job, id, record) == 0 then standing = id end
outcomes[i] = standing or ''
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
ready = true
end
end
end
place()
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
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
if ARGV[6] == 'skip' then break end -- the next one would overlap with this one
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
  forgetChildren: `local orphans = KEYS[1]
local count = 0
for i, id in ipairs(cmsgpack.unpack(ARGV[1])) do
if redis.call('SREM', orphans, id) == 1 then
redis.call('UNLINK', KEYS[1 + i])
count = count + 1
end
end
return count`,
  inquire: `local meta, job, completed, failed, state, outcome, outbox =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function isHere(id, parent)
return redis.call('HEXISTS', job, id) == 1 and parent
and parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end
local children, flags = cmsgpack.unpack(ARGV[4]), {}
for i = 1, #children, 3 do
local id, kind, stamp = unpack(children, i, i + 2)
local known = facts(id)
local flag = 1
if redis.call('HEXISTS', outbox, id) == 0 then
if not isHere(id, known.pk) then flag = 0
elseif redis.call('ZSCORE', completed, id) then write(id, known, 'completed', redis.call('HGET', outcome, id) or '', stamp)
elseif kind == 'open' and redis.call('ZSCORE', failed, id) then
write(id, known, 'failed', redis.call('HGET', outcome, id) or '', stamp)
end
end
flags[#flags + 1] = flag
end
post()
return { flags, letters }`,
  inspectEvents: `local events = KEYS[1]
if redis.call('EXISTS', events) == 0 then return { '0-0', '' } end
local info, last, first = redis.call('XINFO', 'STREAM', events), '0-0', ''
for i = 1, #info, 2 do
if info[i] == 'last-generated-id' then last = info[i + 1] end
if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end
end
return { last, first }`,
  pause: `local meta, marker, events = KEYS[1], KEYS[2], KEYS[3]
local function wake()
redis.call('ZADD', marker, 0, '0')
end
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
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
  plant: `local meta, job, state, parents, pending, orphans, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local text = redis.call('HGET', pending, id)
if not text then return nil end
local tally, i = {}, 0
for count in text:gmatch('%d+') do
i = i + 1
tally[kinds[i]] = tonumber(count)
end
return tally
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', pending, id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local function strangers(books, children)
local keys, entries = {}, {}
for i = 1, #children, 3 do keys[#keys + 1] = children[i] end
local known = redis.call('HMGET', books, unpack(keys))
for i, key in ipairs(keys) do
if not known[i] then
local k = #entries
entries[k + 1], entries[k + 2] = key, cmsgpack.pack({ 'open', children[3 * i - 1], children[3 * i], 0 })
end
end
return entries
end
local flags, names, moved = {}, {}, {}
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
local id, record, facts, name, children = unpack(item)
local books = KEYS[7 + i]
if record ~= '' and redis.call('HSETNX', job, id, record) == 1 then
flags[i] = 1
if facts ~= '' then redis.call('HSET', state, id, facts) end
redis.call('ZADD', parents, now, id)
names[#names + 1], moved[#moved + 1] = name, { 'waiting-children', id }
else
flags[i] = redis.call('HEXISTS', job, id) - 1
end
if flags[i] >= 0 then
if redis.call('SREM', orphans, id) == 1 then redis.call('UNLINK', books) end
local entries = #children > 0 and strangers(books, children) or {}
if #entries > 0 then
local tally = tallyOf(id) or newTally()
tally.open = tally.open + #entries / 2
redis.call('HSET', books, unpack(entries))
keepTally(id, tally)
end
end
end
local settings = redis.call('HMGET', meta, 'flows', 'maxEvents')
if not settings[1] then redis.call('HSET', meta, 'flows', 1) end
if #moved > 0 then
publish(tonumber(settings[2] or 10000), #moved, 'added', '', 'names', table.concat(names, '\\n'), 'moved', cmsgpack.pack(moved))
end
return flags`,
  promote: `local meta, wait, delayed, state, sessions, marker, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
if earlier then return earlier end
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
local priority = states[i] and readFacts(states[i]).pr or 0
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
return told({ #ids, first[2] and tonumber(first[2]) or 0 })`,
  publishEvents: `local meta, sessions, events = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local earlier = replayed(ARGV[1], ARGV[2])
if earlier then return earlier end
settled(ARGV[1], ARGV[2], 1)
publish(tonumber(ARGV[5]) or tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), tonumber(ARGV[3]), 'custom', ARGV[4])
return 1`,
  receive: `local meta, wait, delayed, parents, completed, failed, state, pending, marker, events =
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local text = redis.call('HGET', pending, id)
if not text then return nil end
local tally, i = {}, 0
for count in text:gmatch('%d+') do
i = i + 1
tally[kinds[i]] = tonumber(count)
end
return tally
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', pending, id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and entry or nil
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
local function read(books, letters)
local keys, entries = {}, {}
for i = 1, #letters, 5 do keys[#keys + 1] = letters[i] end
for i, value in ipairs(redis.call('HMGET', books, unpack(keys))) do entries[keys[i]] = readEntry(value) end
return entries
end
local function enterAll(books, changed, entries)
local kept, gone = {}, {}
for key, outcome in pairs(changed) do
local k = #kept
if entries[key] then kept[k + 1], kept[k + 2] = key, cmsgpack.pack(entries[key]) .. outcome
else gone[#gone + 1] = key end
end
if #kept > 0 then redis.call('HSET', books, unpack(kept)) end
if #gone > 0 then redis.call('HDEL', books, unpack(gone)) end
end
local function takeIn(books, letters, tally)
if #letters == 0 then return 0 end
local entries, changed, counted, reason, hurry = read(books, letters), {}, 0, nil, false
for i = 1, #letters, 5 do
local key, ending, policy, stamp, outcome = unpack(letters, i, i + 4)
local entry = entries[key]
local kind = entry and (stamp == 0 or stamp > entry[4]) and verdict(entry[1], ending, policy)
if kind then
counted, changed[key] = counted + 1, outcome
tally[entry[1]] = tally[entry[1]] - 1
if kind == 'gone' then
entries[key] = nil
else
tally[kind] = tally[kind] + 1
entries[key] = { kind, entry[2], entry[3], math.max(stamp, entry[4]) }
end
if kind == 'failed' then reason = reason or 'child ' .. key .. (ending == 'lost' and ' is missing' or ' failed') end
hurry = hurry or (ending == 'failed' and policy == 'continue')
end
end
enterAll(books, changed, entries)
return counted, reason, hurry
end
local moved, ready, total = {}, false, 0
local function toWait(id, known)
redis.call('ZADD', wait, head(known.pr or 0), id)
moved[#moved + 1], ready = { 'waiting', id, 'waiting-children' }, true
end
local function failLater(id, reason)
if redis.call('ZSCORE', completed, id) or redis.call('ZSCORE', failed, id) then return end
local known = facts(id)
known.df = known.df or reason
if redis.call('ZREM', parents, id) + redis.call('ZREM', delayed, id) > 0 then
known.pd = nil
toWait(id, known)
end
remember(id, known)
end
local function goOn(id, delays)
if redis.call('ZREM', parents, id) == 0 then return end
local known = facts(id)
if not (known.pd and delays) then return toWait(id, known) end
local due = now + known.pd
known.pd = nil
remember(id, known)
redis.call('ZADD', delayed, due, id)
moved[#moved + 1], ready = { 'delayed', id, due }, ready or redis.call('ZRANK', delayed, id) == 0
end
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
local id, letters, tally = item[1], item[2], tallyOf(item[1])
if tally then
local counted, reason, hurry = takeIn(KEYS[10 + i], letters, tally)
if counted > 0 then keepTally(id, tally) end
total = total + counted
if reason then failLater(id, reason)
elseif (counted > 0 or #letters == 0) and (hurry or not waits(tally)) then goOn(id, not hurry) end
elseif #letters == 0 then goOn(id, true) end
end
if #moved > 0 then
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
if ready and not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return total`,
  recover: `local meta, job, wait, delayed, active, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, marker, events =
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', history, id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
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
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = readFacts(value), ids[from + i - 1]
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
local expired = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local maxStalled, settings = tonumber(ARGV[1]), redis.call('HMGET', meta, 'paused', 'maxEvents')
local reply, buried, outcomes = {}, {}, {}
for i = #expired - 1, 1, -2 do
local id, started = expired[i], tonumber(expired[i + 1]) % 1 ~= 0
local lease, known = redis.call('HGET', run, id) or '', facts(id)
local token, startedAt = lease:match('^(.*)|(%d+)$')
local worker = token and (token:match('^(.*)~[^~]*$') or token) or ''
if started then
known.sc, known.as = (known.sc or 0) + 1, (known.as or 0) + 1
end
local dead = started and known.sc > maxStalled
known.su = not dead and 1 or nil
redis.call('ZREM', active, id)
redis.call('HDEL', run, id)
remember(id, known)
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
return { reply, first[2] and math.ceil(tonumber(first[2])) or 0, letters }`,
  redrive: `local set, meta, job, wait, state, outcome, history, progress, expire, outbox, sessions, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13]
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
if earlier then return earlier end
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
if type(known.pk) == 'table' then write(id, known, 'retried', '') end
moved[#moved + 1] = { 'waiting', id, ARGV[5] }
end
end
post()
if #moved > 0 then
local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
if not settings[1] then wake() end
publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return told(given and flags or #moved)`,
  removeSchedule: `local meta, schedules, schedule, scheduleRuns, sessions = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local function nextSlot()
local first = redis.call('ZRANGE', schedules, 0, 0, 'WITHSCORES')
if first[2] then redis.call('HSET', meta, 'nextSlot', first[2]) else redis.call('HDEL', meta, 'nextSlot') end
end
if earlier then return earlier end
local removed = redis.call('ZREM', schedules, ARGV[1])
redis.call('HDEL', schedule, ARGV[1])
redis.call('HDEL', scheduleRuns, ARGV[1])
nextSlot()
return told(removed)`,
  remove: `local meta, job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, sessions, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
KEYS[21], KEYS[22]
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
if session ~= '' then settled(session, seq, reply) end
return reply
end
local moved = {}
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = readFacts(value), ids[from + i - 1]
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
if only == 'childless' then return redis.call('HEXISTS', pending, id) == 1 end
return only == 'unfinished' and (redis.call('ZSCORE', completed, id) or redis.call('ZSCORE', failed, id))
end
for i, id in ipairs(ids) do
if redis.call('HEXISTS', run, id) == 1 then flags[i] = -1
elseif redis.call('HEXISTS', job, id) == 0 then flags[i] = 0
elseif isSpared(id) then flags[i] = -2
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
return told({ flags, letters })`,
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
if #scores > 0 then
redis.call('ZREM', active, '')
redis.call('ZADD', active, 'XX', unpack(scores))
end
return lost`,
  reportProgress: `local meta, job, progress, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function publish(limit, count, ...)
if limit == 0 then return end
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
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
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
if not redis.call('ZSCORE', delayed, ARGV[1]) then return redis.call('HEXISTS', job, ARGV[1]) - 1 end
local due = now + tonumber(ARGV[2])
redis.call('ZADD', delayed, due, ARGV[1])
if redis.call('ZRANK', delayed, ARGV[1]) == 0 then wake() end
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1, 'moved', cmsgpack.pack({ { 'delayed', ARGV[1], due } }))
return due`,
  settle: `local meta, job, wait, delayed, active, completed, failed, run, state, outcome, history, progress, logs, expire, sessions, dedup, outbox, pending, orphans, marker, rate, events, metrics =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
KEYS[21], KEYS[22], KEYS[23]
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function replayed(session, seq)
local last = redis.call('HGET', sessions, session)
if not last then return false end
local known = cmsgpack.unpack(last)
if known[1] > tonumber(seq) then return redis.error_reply('STALE this call was overtaken by a later one of its session') end
if known[1] < tonumber(seq) then return false end
redis.call('HDEL', sessions, '')
redis.call('HSET', sessions, session, last)
return known[3]
end
local function settled(session, seq, reply)
redis.call('HSET', sessions, session, cmsgpack.pack({ tonumber(seq), now, reply }))
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', history, id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
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
local WIDE = ('-'):rep(65)
local function prioritiesOf(ids)
if tonumber(redis.call('ZSCORE', wait, ids[#ids])) < 0 then return nil end
local priorities = {}
for i, score in ipairs(redis.call('ZMSCORE', wait, unpack(ids))) do
priorities[i] = math.max(0, math.floor(tonumber(score) / BAND))
end
return priorities
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
if wanted <= 0 then
if none[6] == 0 then none[6] = -1 end
return none
end
local ids = redis.call('ZRANGE', wait, 0, wanted - 1)
if #ids == 0 then return none end
local priorities = prioritiesOf(ids)
local records = redis.call('HMGET', job, unpack(ids))
redis.call('ZREMRANGEBYRANK', wait, 0, #ids - 1)
local missing = {}
for i = #ids, 1, -1 do
if not records[i] then
missing[#missing + 1] = table.remove(ids, i)
table.remove(records, i)
if priorities then table.remove(priorities, i) end
end
end
if #ids == 0 then none[7] = table.concat(missing, '\\n') return none end
local deadlines, leases, sizes = {}, {}, {}
local deadline = string.format('%.0f', now + leaseMs) -- as text: a number would be formatted anew for every job
for i, id in ipairs(ids) do
local k = 2 * i
deadlines[k - 1], deadlines[k] = deadline, id
leases[k - 1], leases[k] = id, lease
sizes[i] = #records[i]
end
redis.call('ZADD', active, unpack(deadlines))
leases[#leases + 1], leases[#leases + 2] = '', WIDE
redis.call('HSET', run, unpack(leases))
if max > 0 then
redis.call('RPUSH', rate, now .. ' ' .. #ids)
redis.call('HINCRBY', meta, 'rateCount', #ids)
end
local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or ''
return { #ids, table.concat(ids, '\\n'), table.concat(records), states, priorities and table.concat(priorities, '\\n') or '', 0, table.concat(missing, '\\n'), table.concat(sizes, ' ') }
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
local raw = redis.call('HMGET', meta, 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot', 'flows')
return {
paused = raw[1], limitedTill = tonumber(raw[2] or 0), concurrency = tonumber(raw[3]),
max = tonumber(raw[4]), duration = tonumber(raw[5]), maxEvents = tonumber(raw[6] or 10000), nextSlot = tonumber(raw[7] or 0), flows = raw[8],
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
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }
local function tallyOf(id)
local text = redis.call('HGET', pending, id)
if not text then return nil end
local tally, i = {}, 0
for count in text:gmatch('%d+') do
i = i + 1
tally[kinds[i]] = tonumber(count)
end
return tally
end
local function keepTally(id, tally)
local counts = {}
for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
redis.call('HSET', pending, id, table.concat(counts, ' '))
end
local function readEntry(value)
local readable, _, entry = pcall(cmsgpack.unpack_one, value or '', 0)
return readable and type(entry) == 'table' and #entry == 4 and entry or nil
end
local function newTally()
return { open = 0, failing = 0, completed = 0, ignored = 0, failed = 0 }
end
local function waits(tally)
return tally.open + tally.failing > 0
end
local function accept(ids, items, held, hasFlows)
local accepted, freed, refused, unready = {}, {}, {}, {}
for i, id in ipairs(ids) do
if held[i] ~= items[4 * i - 2] or accepted[id] then
refused[#refused + 1] = i - 1
else
local tally = hasFlows and items[4 * i - 1] <= 2 and tallyOf(id)
accepted[id] = true
if tally and waits(tally) then
unready[#unready + 1] = i - 1
else
held[i] = true
freed[#freed + 1] = id
end
end
end
return freed, refused, unready
end
local function measure(letter, count, most)
if count == 0 then return end
local minute = math.floor(now / 60000)
if redis.call('HINCRBY', metrics, letter .. minute, count) > count then return end
local since = tonumber(redis.call('HGET', metrics, 'since') or minute)
local last = math.min(minute - most - 1, since + 499)
if last >= since then
local fields, sums = {}, { c = 0, f = 0 }
for each = since, last do fields[#fields + 1], fields[#fields + 2] = 'c' .. each, 'f' .. each end
for i, value in ipairs(redis.call('HMGET', metrics, unpack(fields))) do
local kind = i % 2 == 1 and 'c' or 'f'
sums[kind] = sums[kind] + tonumber(value or 0)
end
redis.call('HDEL', metrics, unpack(fields))
for kind, sum in pairs(sums) do redis.call('HINCRBY', metrics, kind, sum) end
since = last + 1
end
redis.call('HSET', metrics, 'since', since, 'max', most)
end
local moved = {}
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = readFacts(value), ids[from + i - 1]
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
local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
if earlier.err then return earlier end
local again = retake(earlier[2], earlier[3])
again[9], again[10], again[11], again[12], again[13] = 0, 0, {}, redis.call('HEXISTS', meta, 'flows'), earlier[4]
return { earlier[1], now, earlier[2], unpack(again) }
end
local items, wanted = cmsgpack.unpack(ARGV[3]), tonumber(ARGV[5])
local settings = takeSettings()
local ids, held = {}, {}
for i = 1, #items, 4 do ids[#ids + 1] = items[i] end
if #ids > 0 then held = redis.call('HMGET', run, unpack(ids)) end
local forgotten, results, kept, done = {}, {}, {}, {}
local freed, refused, unready = accept(ids, items, held, settings.flows)
if #freed > 0 then
redis.call('ZREM', active, unpack(freed))
redis.call('HDEL', run, unpack(freed))
end
local buried, buriedOutcomes, dropped, droppedOutcomes, returned = {}, {}, {}, {}, false
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
release(dropped, 'dropped', droppedOutcomes)
forget(forgotten)
forget(dropped)
if #kept > 0 then trim(completed, tonumber(ARGV[9])) end
if #buried > 0 then trim(failed, tonumber(ARGV[10])) end
if ARGV[13] ~= '0' then
measure('c', #done, tonumber(ARGV[13]))
measure('f', #buried + #dropped, tonumber(ARGV[13]))
end
local token = ARGV[4] ~= '' and ARGV[4] or session .. ':' .. seq
local lease = token .. '|' .. string.format('%.0f', now)
local taken = wanted > 0
and takeJobs(wanted, lease, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), settings, tonumber(ARGV[12]))
or { 0, '', '', '', '', 0, '', '' }
local count = taken[1]
settled(session, seq, { refused, lease, taken[2], unready })
local more = returned or taken[7] ~= '' or (settings.concurrency and count < #freed) or (ARGV[11] == '1' and count == wanted)
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
return { refused, now, lease, count, taken[2], taken[3], taken[4], taken[5], taken[6], taken[7], taken[8], due, expires,
letters, settings.flows and 1 or 0, unready }`,
  sweep: `local meta, job, completed, failed, state, outcome, history, progress, logs, expire, sessions, dedup, pending, orphans =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
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
if #ids == limit then more = 1 end
if #gone == 0 then return end
redis.call('ZREM', set, unpack(gone))
forget(gone)
forgotten = forgotten + #gone
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
  transfer: `local meta, job, wait, delayed, active, completed, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, marker, events =
KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20]
local target = { meta = KEYS[21], job = KEYS[22], wait = KEYS[23], state = KEYS[24], history = KEYS[25], marker = KEYS[26], events = KEYS[27] }
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
redis.call('XADD', events, 'MAXLEN', '~', math.max(32, math.ceil(limit / math.max(count, 1))), '*', ...)
end
local function readFacts(packed)
local readable, known = pcall(cmsgpack.unpack, packed or '')
return readable and type(known) == 'table' and known or {}
end
local function facts(id)
return readFacts(redis.call('HGET', state, id))
end
local function remember(id, known)
if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
local function chronicle(id, entry)
local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
while #value > 65536 do
local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
if not readable then value = cmsgpack.pack(now) .. entry end
if not readable or offset < 0 then break end
value = value:sub(offset + 1)
end
redis.call('HSET', history, id, value)
end
local function eachChunk(command, key, values)
for from = 1, #values, 4000 do
redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
end
end
local function forgetBooks(ids)
for from = 1, #ids, 4000 do
local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
if tally then
redis.call('HDEL', pending, slice[i])
redis.call('SADD', orphans, slice[i])
end
end
end
end
local function forget(ids)
if #ids == 0 then return end
eachChunk('HDEL', job, ids)
if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
for _, column in ipairs({ state, outcome, history, progress, logs }) do
if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
end
if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
local moved = {}
local letters, posted = {}, 0
local function write(id, known, ending, outcome, after)
local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
local head = cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp })
letters[#letters + 1], letters[#letters + 2] = id, head .. outcome
end
local function post()
if #letters == posted then return end
redis.call('HSET', meta, 'flows', 1)
for from = posted + 1, #letters, 4000 do
redis.call('HSET', outbox, unpack(letters, from, math.min(from + 3999, #letters)))
end
posted = #letters
end
local function releaseId(dedupId, id)
local packed = redis.call('HGET', dedup, dedupId)
if not packed then return end
local entry = cmsgpack.unpack(packed)
if entry.id ~= id then return end
local kept = entry.last
if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
if delayMs > 0 then
redis.call('ZADD', delayed, now + delayMs, keptId)
moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
else
redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
moved[#moved + 1] = { 'waiting', keptId }
end
redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
wake()
elseif kept or entry.till == 0 then
redis.call('HDEL', dedup, dedupId)
end
end
local function isToldOf(id, known)
return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end
local function release(ids, ending, outcomes)
if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
for from = 1, #ids, 4000 do
local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
for i, value in ipairs(packed) do
if value then
local known, id = readFacts(value), ids[from + i - 1]
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
if lease ~= '' then return redis.call('HGET', run, id) == lease end
if bury then return redis.call('ZSCORE', failed, id) end
return redis.call('HEXISTS', run, id) == 0
end
local function isThere(id)
local packed = bury and redis.call('HGET', target.state, id)
local origin = packed and cmsgpack.unpack(packed).dl
return origin and origin[1] == ARGV[1] and origin[2] == ARGV[2] and redis.call('HEXISTS', job, id) == 0
end
local function freeId(id)
return redis.call('HEXISTS', target.job, id) == 1 and id .. '~' .. string.format('%.0f', now) or id
end
for i = 1, #items, 5 do
local id, lease, attemptsMade, entry, result = unpack(items, i, i + 4)
local record = holds(id, lease) and redis.call('HGET', job, id)
flags[#flags + 1] = (record or isThere(id)) and 1 or 0
if record then
if entry ~= '' then chronicle(id, entry) end
local known, past = facts(id), redis.call('HGET', history, id)
if result == '' then result = redis.call('HGET', outcome, id) or '' end
local reason = result ~= '' and cmsgpack.unpack(result)[1] or ''
local origin = bury and { ARGV[1], ARGV[2], now, attemptsMade, reason } or nil
local there, priority = freeId(id), known.pr or 0
redis.call('HSET', target.job, there, record)
if origin or priority > 0 then redis.call('HSET', target.state, there, cmsgpack.pack({ dl = origin, pr = priority > 0 and priority or nil })) end
if past then redis.call('HSET', target.history, there, past) end
local low, high, _, _, start = band(priority)
local last = redis.call('ZREVRANGEBYSCORE', target.wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
redis.call('ZADD', target.wait, (last[2] and tonumber(last[2]) or start) + 1, there)
gone[#gone + 1], outcomes[#outcomes + 1], arrived[#arrived + 1] = id, result, { 'waiting', there }
moved[#moved + 1] = bury and lease ~= '' and { 'failed', id, result } or { 'removed', id }
end
end
if #gone > 0 then
for _, set in ipairs({ wait, delayed, active, completed, failed }) do redis.call('ZREM', set, unpack(gone)) end
redis.call('HDEL', run, unpack(gone))
release(gone, bury and 'dropped' or 'removed', outcomes)
forget(gone)
local here = tonumber(redis.call('HGET', meta, 'maxEvents') or 10000)
publish(here, #gone, 'moved', cmsgpack.pack(moved))
local settings = redis.call('HMGET', target.meta, 'paused', 'maxEvents')
if not settings[1] then redis.call('ZADD', target.marker, 0, '0') end
if settings[2] ~= '0' then
redis.call('XADD', target.events, 'MAXLEN', '~', settings[2] or 10000, '*', 'moved', cmsgpack.pack(arrived))
end
end
return { flags, letters }`,
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
