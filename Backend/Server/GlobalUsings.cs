global using Bootstrap.Server.Http;
