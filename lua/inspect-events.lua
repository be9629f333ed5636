-- inspect-events: where the event stream begins and ends.
-- KEYS  events
-- ARGV  none
-- REPLY the last id ever given ('0-0' for none) · the first id that is there ('' for none)
-- COST  O(1)
local events = KEYS[1]

if redis.call('EXISTS', events) == 0 then return { '0-0', '' } end
local info, last, first = redis.call('XINFO', 'STREAM', events), '0-0', ''
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then last = info[i + 1] end
  if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end
end
return { last, first }
