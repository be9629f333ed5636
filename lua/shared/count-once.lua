-- countOnce: some id was named more than once. Its first end counts; the others are refused.
local passed, seen, i, n = {}, {}, 0, 0
for _, numbers in ipairs({ refused, unready }) do
  for _, number in ipairs(numbers) do passed[number] = true end
end
for number = 0, named - 1 do
  if not passed[number] then
    i = i + 1
    if seen[ids[i]] then
      refused[#refused + 1] = number
    else
      n = n + 1
      seen[ids[i]], ids[n], kinds[n], payloads[n] = true, ids[i], kinds[i], payloads[i]
    end
  end
end
for gone = n + 1, accepted do ids[gone], kinds[gone], payloads[gone] = nil, nil, nil end
accepted = n
