-- once: for calls that tell what they did. The same call again, because its reply was lost, does nothing and is told the
-- same. The last two arguments are its session and number, both '' when a repeat does no harm.
-- include shared/sessions.lua
local session, seq = ARGV[#ARGV - 1], ARGV[#ARGV]
local earlier = session ~= '' and replayed(session, seq)
local function told(reply)
  if session ~= '' then settled(session, seq, reply) end
  return reply
end
