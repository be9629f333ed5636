-- eachChunk: calls `command key …` with the values in slices that fit Lua's stack.
local function eachChunk(command, key, values)
  for from = 1, #values, 4000 do
    redis.call(command, key, unpack(values, from, math.min(from + 3999, #values)))
  end
end
