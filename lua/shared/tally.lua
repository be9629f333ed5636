-- tally: the books of a parent. `pending` counts its children: "open failing completed ignored failed". The parent waits
-- for the open, which have not ended, and the failing, which failed without a word on what that means for it.
-- `children:<parent>` holds an entry per child key: MessagePack [kind, length of prefix, of queue, stamp], then its outcome.
-- A tally that something else wrote counts as none.
local kinds = { 'open', 'failing', 'completed', 'ignored', 'failed' }

local function tallyOf(id)
  local counts, tally = { (redis.call('HGET', pending, id) or ''):match('^(%d+) (%d+) (%d+) (%d+) (%d+)$') }, {}
  for i, kind in ipairs(kinds) do tally[kind] = tonumber(counts[i]) end
  return counts[1] and tally or nil
end

local function keepTally(id, tally)
  local counts = {}
  for i, kind in ipairs(kinds) do counts[i] = string.format('%d', tally[kind]) end
  redis.call('HSET', pending, id, table.concat(counts, ' '))
end

-- An entry of the books, unpacked; nil when there is none, or something else wrote it.
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
