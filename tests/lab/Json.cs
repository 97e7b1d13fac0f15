using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

internal static class Json
{
    /// <summary>A property as text; empty where it is null.</summary>
    public static string Text(this JsonNode? node, string property) => node![property]?.ToString() ?? "";

    /// <summary>A property that is a number.</summary>
    public static long Number(this JsonNode node, string property) => node[property]!.GetValue<long>();
}
