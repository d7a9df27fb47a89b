/* SPDX-License-Identifier: Apache-2.0 */
/** RSA keys for tests of signatures, written by openssl; they protect nothing. */
#ifndef POLICY_KEYS_H
#define POLICY_KEYS_H

#define POLICY_TEST_RSA_KEY                                                                        \
	"-----BEGIN RSA PRIVATE KEY-----\n"                                                        \
	"MIIEogIBAAKCAQEAsJ+dZuRP6JXGT22g/5BVNNTJ4L7mUfEPHXxhf+gw/ooIHq0L\n"                       \
	"ZC7Dn9Ur9cNWVGCT8kvXt6fKT/BatUq1+vOfFjoLdfW4Q1tttWz/b7cD1uCvM9MI\n"                       \
	"UZya465kZ9hJyLcmcwrF+E0fFM2tKLCIj5tsztIX9rTL2R2AGhNtN1S1guM0H9Fl\n"                       \
	"L+1Q6RQgelNPC6Gx82NxWXF9P8d/9VE/baYVrL8rnspsnXNfBX4z6AHL0bMtOABb\n"                       \
	"qM9Xjpuf52rswAlDhnCweWy2pX8008k6oS8EsgTmERvlefu1pzhf/eFrLWDv+HwH\n"                       \
	"qbud/ccZCOQ+MhYtMYWLY/MEZv5RNzmDTIfUnQIDAQABAoIBAAyZkmXC71VpC+Di\n"                       \
	"MfxRTFbMwEsVa0JYt0qT8zOn+YjLCYnAsAGZWXDHSQ/K+9dgnWVJVk3+fQ8HVz08\n"                       \
	"I2/P3d88zFEBsr+xX8nzyOQsEuzLEgyZJyyFRsJr0DNdSWQ1dpt53wYX4FoAUzRG\n"                       \
	"JbPS82fssnNx0eH++gLCNIYgN6Oq2dM8RNooGpG597Tv5yGcBD4lDCbiou3/f3Nc\n"                       \
	"x633nGJ035kQ1coqgdzKSAuwcaRfzG2wJWFfgdIw+liCuFob0tRm6XqQ8qBk/iNH\n"                       \
	"xXBZwoqRPb8Orob3eVO9kJ9c+3x8BQJbTcQtbx63T5oeC2t9vw0Xt1zSdS5/KFeF\n"                       \
	"0nuuiSECgYEA3ElfbyFk5C5iv/uA79Q9oGrNkz3gn9qwsq3juMI03vFrQ5zUAfm+\n"                       \
	"lmqw99pW2IEjNKakgUmVIaF5HMFs6YI0Gv7+b4QhGZlVuBUtfyGzOj/eQ0WCZ0Pq\n"                       \
	"b74FaDDfciWdirjjaDS0XVyDe0cbtiXQ7bTT4JYxKRjau38azIBoBGECgYEAzUIT\n"                       \
	"1H7CNTAruFt4ccczV+aBEkDP1Mbt2MyYtn/lHSgkXGxUogaJ+ekG7fHoJmYSO883\n"                       \
	"Pp3D8JgDZRn4N0wBRJtWR5y+muguONFlD09Jeb6PzkvwXAV4mJhX7CDAfgkXPdui\n"                       \
	"hu1iu/JnO0gNP6vx4QcB/1F00GzFNRByYa2jOb0CgYAfMiDauw7vpYYEjBhxXkwv\n"                       \
	"6JAeVvf1i2HUm/2Qz6fvHp9DHvWDJhwQbyGKqBf+ZyNWNHc9e+8rqRNeuCG1W+QH\n"                       \
	"Iq9jmYGaf3V9MTqVM2+PQzY1rqVN/Hc5xd48KBessZkC6TYDLtuQESbpkWNiQy64\n"                       \
	"SxBqULq7iDKJtPFVnqWcYQKBgALKYjCiZIuKkx2XiMSrO6R3Ssvvu6Od7L/k0DKy\n"                       \
	"/G9wC0aCZogpZJjUNTbo8goLmzXa9FpSlMZhmrI2Lyy5SM8g+YRRujmq7G3zUtdp\n"                       \
	"cYtJLvVUDPmDTYdtksxwCY3tG7bIlKYW9h+uBP9GVH/IG6q+iKVq+xaWU/wLtDJl\n"                       \
	"xPFVAoGATe5yJnPjZx4R1OeECTllIZfN7uAL28ZkCX8wI6M32mVzTr01j+FqzFRl\n"                       \
	"4deH5iZvCfIdi+q6dxQDOZXHy49r2gHqovDmpu509c3lck2Pondd0fmDj5/KQFUI\n"                       \
	"NOdp30YqDDXyRWVAx69I1l2TeWNpAXeGX0CuxzoLG8Z9j5h61e4=\n"                                   \
	"-----END RSA PRIVATE KEY-----\n"

#define POLICY_TEST_RSA_PUBLIC                                                                     \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsJ+dZuRP6JXGT22g/5BV\n"                       \
	"NNTJ4L7mUfEPHXxhf+gw/ooIHq0LZC7Dn9Ur9cNWVGCT8kvXt6fKT/BatUq1+vOf\n"                       \
	"FjoLdfW4Q1tttWz/b7cD1uCvM9MIUZya465kZ9hJyLcmcwrF+E0fFM2tKLCIj5ts\n"                       \
	"ztIX9rTL2R2AGhNtN1S1guM0H9FlL+1Q6RQgelNPC6Gx82NxWXF9P8d/9VE/baYV\n"                       \
	"rL8rnspsnXNfBX4z6AHL0bMtOABbqM9Xjpuf52rswAlDhnCweWy2pX8008k6oS8E\n"                       \
	"sgTmERvlefu1pzhf/eFrLWDv+HwHqbud/ccZCOQ+MhYtMYWLY/MEZv5RNzmDTIfU\n"                       \
	"nQIDAQAB\n"                                                                               \
	"-----END PUBLIC KEY-----\n"

#define POLICY_TEST_RSA_1024_PUBLIC                                                                \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDMuG/2jsuH4UZLlNNMiqSLuvwN\n"                       \
	"Tc22g+mPRZoGkWZFuD5F8X8bQ2zyQCQAg2UCEnmA3W09i8K7W8B+I3fzYIhaAHfN\n"                       \
	"2Jx8jwvBFtLWdcO9EkEqzKmvJStaI7Zfwq5azgqOLR0gI6V29ZW1f5dHHpC/roQ9\n"                       \
	"M6ZaUjvglTdLWG0aJwIDAQAB\n"                                                               \
	"-----END PUBLIC KEY-----\n"

#endif
