-- REDIS_FAIL: redis does not answer. Without it rspamd would go on with what it has, and pass spam.
local lua_redis = require "lua_redis"
local server = lua_redis.parse_redis_server("redis_fail") -- no section of this name: the one in redis.conf

rspamd_config:register_symbol {
  name = "REDIS_FAIL",
  type = "normal",
  group = "maillab",
  score = 0.0,
  callback = function(task)
    local function answered(err, reply)
      if err or reply ~= "PONG" then
        task:insert_result("REDIS_FAIL", 1.0, tostring(err or reply))
      end
    end
    if not lua_redis.redis_make_request(task, server, nil, false, answered, "PING", {}) then
      task:insert_result("REDIS_FAIL", 1.0, "no connection")
    end
  end
}
