-- publish-events: writes custom events into the stream.
-- KEYS  meta · sessions · events
-- ARGV  session · seq · count · custom (MessagePack [name, args], one after the other) · maxEvents ('' for the queue's own)
-- REPLY 1
-- COST  O(size of the events)
local meta, sessions, events = KEYS[1], KEYS[2], KEYS[3]
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/sessions.lua

local earlier = replayed(ARGV[1], ARGV[2])
if earlier then return earlier end
publish(tonumber(ARGV[5]) or tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), tonumber(ARGV[3]), 'custom', ARGV[4])
settled(ARGV[1], ARGV[2], 1)
return 1
