-- accept: fencing. Only the lease that Redis knows moves a job; each id is accepted once a call. A parent that still has
-- children to wait for cannot complete: it stays with its holder, which is told so.
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
  local held = redis.call('HMGET', run, unpack(members))
  local tallies = isUnready and redis.call('HMGET', pending, unpack(members))
  for i = 1, #members do
    local id, kind = members[i], digits == '' and 0 or digits:byte(i) - 48
    if held[i] ~= lease then
      refused[#refused + 1] = named
    elseif tallies and kind <= 2 and tallies[i] and isUnready(tallies[i]) then
      unready[#unready + 1] = named
    else
      accepted = accepted + 1
      ids[accepted], kinds[accepted], payloads[accepted] = id, kind, given == '' and '\192' or given[i]
      isPlain = isPlain and kind == 0
    end
    named = named + 1
  end
end
if ARGV[14] ~= '' then
  -- include shared/typed.lua
  typed({ outbox, unpack(KEYS, 25) }, { parents })
end
