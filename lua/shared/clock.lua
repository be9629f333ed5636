-- clock: `now` as text, for to format a number costs more.
local clock = time[1] .. ('00000' .. time[2]):sub(-6, -4)
