/* Runs a file with Debian's static Lua library: lua FILE. */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	lua_State *lua = luaL_newstate();

	if (argc != 2 || !lua)
		return 2;
	luaL_openlibs(lua);
	if (luaL_dofile(lua, argv[1]) != LUA_OK) {
		fprintf(stderr, "%s\n", lua_tostring(lua, -1));
		return 1;
	}
	lua_close(lua);
	return 0;
}
