-- weigh: whether the records of `fresh` are so large in all that the caller reads them itself, with a plain command: here
-- Redis would copy them twice and hash every byte.
local weight = 0
heavy = {}
for i = 1, #fresh do
  local length = redis.call('HSTRLEN', job, fresh[i])
  weight, heavy[i] = weight + length, length > 0 and ''
end
heavy = weight > 65536 and heavy
