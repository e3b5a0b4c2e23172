-- wrk -s rotate.lua URL -- FILE TOKEN: sends the lines of FILE in turn, as paths (GET) or bodies (POST).
-- A line may hold %d: a number that no request repeats. The last line printed is JSON.
local lines, place, seen = {}, 0, 0
local headers = {}

function init(args)
   for line in io.lines(args[1]) do
      lines[#lines + 1] = line
   end
   math.randomseed(os.time())
   place = math.random(#lines)
   seen = math.random(1000000) * 1000000
   if args[2] and args[2] ~= "" then
      headers["Authorization"] = "Bearer " .. args[2]
   end
   headers["Content-Type"] = "application/json"
end

function request()
   place = place % #lines + 1
   local line = lines[place]
   if line:sub(1, 1) == "/" then
      return wrk.format("GET", line, headers)
   end
   if line:find("%%d") then
      seen = seen + 1
      line = line:gsub("%%d", string.format("%d", seen))
   end
   return wrk.format("POST", nil, headers, line)
end

function done(summary, latency, requests)
   local failed = summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.status + summary.errors.timeout
   io.write(string.format('{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
