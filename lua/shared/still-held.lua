-- stillHeld: jobs that the first try of this call handed over may have gone on since; then none of them is told to be held.
if ARGV[3] ~= '' and type(earlier) == 'table' and earlier[2] then
  for id in ARGV[4]:gmatch('[^\n]+') do
    if redis.call('HGET', run, id) ~= earlier[2] then
      earlier[2] = nil
      break
    end
  end
end
