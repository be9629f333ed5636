-- letters: what a parent is told of a child. A letter lies in the outbox of the child's queue from the very script that
-- ended the child until the parent's queue has taken it in: MessagePack [prefix, queue, parent, ending, policy, stamp],
-- then the packed outcome. The stamp is the time in µs, so that an older letter is known from a newer one.
-- include shared/enter.lua
local letters, posted = {}, 0
-- The last head that was packed for these facts, which siblings share: { ending, stamp, head }.
local written = {}
local function write(id, known, ending, result, after)
  local stamp = math.max(time[1] * 1000000 + time[2], (after or 0) + 1)
  local last = written[known]
  if not last or last[1] ~= ending or last[2] ~= stamp then
    last = { ending, stamp, cmsgpack.pack({ known.pk[1], known.pk[2], known.pk[3], ending, known.po or '', stamp }) }
    written[known] = last
  end
  letters[#letters + 1], letters[#letters + 2] = id, last[3] .. result
end

-- Puts what was written since the last time into the outbox.
local function post()
  if #letters == posted then return end
  redis.call('HSET', meta, 'flows', 1)
  for from = posted + 1, #letters, 4000 do
    enter(outbox, { unpack(letters, from, math.min(from + 3999, #letters)) })
  end
  posted = #letters
end
