-- fetch: everything known of some jobs, at one instant.
-- KEYS  job · wait · delayed · active · parents · completed · failed · run · state · outcome · history · progress
-- ARGV  ids (MessagePack)
-- REPLY per id: [place, score, record, state, outcome, history, progress, lease]; place '' when the id is in no set
-- COST  O(ids), at most 1,000
local job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress =
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
return reply
