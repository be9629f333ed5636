-- place: where a job goes in `wait`. One score holds priority and order and never wraps in practice.
-- Priority 0 lives below zero (2^53 scores); priority p > 0 owns the 2^32 scores from p * 2^32. A new job goes one
-- after the last of its priority (or one before the first, for lifo), and a priority that has run empty starts
-- again in the middle of its range. So order depends only on the jobs that wait now: no counter can be lost.
local BAND = 4294967296
local ORIGIN = -2251799813685248

local function band(priority)
  if priority == 0 then return '-inf', '(0', -9007199254740991, -1, ORIGIN end
  local low = priority * BAND
  return low, low + BAND - 1, low, low + BAND - 1, low + BAND / 2
end

local tails, heads = {}, {}

-- The next score behind every waiting job of this priority.
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

-- The next score in front of every waiting job of this priority.
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
