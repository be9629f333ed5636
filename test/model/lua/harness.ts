/**
 * What surrounds a script under test; the script itself stays as it is shipped.
 *
 * - Its `redis` answers TIME from the last argument, in µs: the test owns the clock.
 * - A command on a key that the call did not declare is an error.
 * - It answers [1 when it went well, the reply or what went wrong, the places it came by, state]; `state` is everything
 *   in the database after it: the lengths of all pieces, and the pieces in a row.
 */
export function harnessed(script: string, { guarded = false } = {}): string {
  return `${before}${guarded ? guard : ''}
local function __script()
${script}
end
${after}`;
}

/** Runs one plain command, with the state behind it. */
export const plainCommand = 'return redis.call(unpack(ARGV))';

const before = `
local __hits, __declared, __budget = {}, {}, 20000
for _, key in ipairs(KEYS) do __declared[key] = true end
local __micros = tonumber(table.remove(ARGV))
local __redis = redis
local __severalKeys = { EXISTS = true, UNLINK = true, DEL = true }
local redis = { error_reply = redis.error_reply }
local function __send(send, name, ...)
  __budget = __budget - 1
  if __budget < 0 then error('too many commands') end
  if name == 'TIME' then
    return { string.format('%.0f', math.floor(__micros / 1000000)), string.format('%.0f', __micros % 1000000) }
  end
  local first, second = ...
  for _, key in ipairs(__severalKeys[name] and { ... } or { name == 'XINFO' and second or first }) do
    if not __declared[key] and name ~= 'SCRIPT' then error('undeclared key ' .. tostring(key)) end
  end
  return send(name, ...)
end
function redis.call(...) return __send(__redis.call, ...) end
function redis.pcall(...) return __send(__redis.pcall, ...) end`;

/** Ends a script that a mistake keeps going round; what it came by is not told. */
const guard = `
local __steps = 100000
local __hits = setmetatable({}, { __newindex = function()
  __steps = __steps - 1
  if __steps < 0 then error('too many steps') end
end })`;

const after = `
local __ok, __reply = pcall(__script)
if type(__reply) == 'table' and __reply.err then __ok, __reply = false, __reply.err end
if not __ok then __reply = tostring(__reply) end
local __places, __pieces, __sizes = {}, {}, {}
for place in pairs(__hits) do __places[#__places + 1] = place end
local call = __redis.call
for _, key in ipairs(call('KEYS', '*')) do
  local kind = call('TYPE', key).ok
  local content
  if kind == 'hash' then content = call('HGETALL', key)
  elseif kind == 'zset' then content = call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'set' then content = call('SMEMBERS', key)
  elseif kind == 'list' then content = call('LRANGE', key, 0, -1)
  elseif kind == 'string' then content = { call('GET', key) }
  else
    content = { call('XLEN', key) }
    local last = call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    for _, part in ipairs(last and last[2] or {}) do content[#content + 1] = part end
  end
  local k = #__pieces
  __pieces[k + 1], __pieces[k + 2], __pieces[k + 3] = key, kind, tostring(#content)
  for i, part in ipairs(content) do __pieces[k + 3 + i] = tostring(part) end
end
for i, piece in ipairs(__pieces) do __sizes[i] = #piece end
return { __ok and 1 or 0, __reply == nil and false or __reply, table.concat(__places, ' '), table.concat(__sizes, ' '), table.concat(__pieces) }`;
