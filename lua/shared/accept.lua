-- accept: fencing. Only the lease that Redis knows moves a job; each id is accepted once a call. A job that still has
-- children to wait for cannot complete: it stays with its holder, which is told so.
-- include shared/tally.lua
local function accept(ids, items, held, hasFlows)
  local accepted, freed, refused, unready = {}, {}, {}, {}
  for i, id in ipairs(ids) do
    if held[i] ~= items[4 * i - 2] or accepted[id] then
      refused[#refused + 1] = i - 1
    else
      local tally = hasFlows and items[4 * i - 1] <= 2 and tallyOf(id)
      accepted[id] = true
      if tally and waits(tally) then
        unready[#unready + 1] = i - 1
      else
        held[i] = true
        freed[#freed + 1] = id
      end
    end
  end
  return freed, refused, unready
end
