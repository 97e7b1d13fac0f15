using System.Text;

namespace Bootstrap.Board;

/// <content>What a network interface can do.</content>
public static partial class Linux
{
    /// <summary>The greatest speed that an interface's hardware has, in Mbit/s: what it supports, whatever the link runs at
    /// (linux/ethtool.h, ETHTOOL_GLINKSETTINGS). Null: it does not say.</summary>
    internal static unsafe int? GreatestSpeedOf(string name)
    {
        const int nameBytes = 16, headWords = 12, mostMaskWords = 127;
        const nuint siocEthtool = 0x8946;
        const uint getLinkSettings = 0x4C;
        byte[] ascii = Encoding.ASCII.GetBytes(name);
        if (ascii.Length >= nameBytes)
        {
            return null;
        }
        int socket = Socket(2, 2, 0); // AF_INET, SOCK_DGRAM
        if (socket < 0)
        {
            return null;
        }
        try
        {
            // struct ethtool_link_settings, then three masks: supported, advertised, and the link partner's.
            uint* settings = stackalloc uint[headWords + 3 * mostMaskWords];
            byte* request = stackalloc byte[40]; // struct ifreq
            new Span<byte>(request, 40).Clear();
            ascii.CopyTo(new Span<byte>(request, nameBytes));
            *(nint*)(request + nameBytes) = (nint)settings;
            new Span<uint>(settings, headWords + 3 * mostMaskWords).Clear();
            settings[0] = getLinkSettings;
            sbyte* maskWords = (sbyte*)settings + 15;
            // Asked without room for the masks, the kernel says how much room they take, below zero.
            if (IoCtl(socket, siocEthtool, request) != 0 || *maskWords >= 0)
            {
                return null;
            }
            *maskWords = (sbyte)-*maskWords;
            settings[0] = getLinkSettings;
            if (IoCtl(socket, siocEthtool, request) != 0 || *maskWords <= 0)
            {
                return null;
            }
            var supported = new ReadOnlySpan<uint>(settings + headWords, *maskWords);
            int greatest = 0;
            foreach ((int bit, int megabits) in s_linkModes)
            {
                if (bit / 32 < supported.Length && (supported[bit / 32] >> (bit % 32) & 1) != 0)
                {
                    greatest = Math.Max(greatest, megabits);
                }
            }
            return greatest > 0 ? greatest : null;
        }
        finally
        {
            _ = Close(socket);
        }
    }

    /// <summary>Bits of enum ethtool_link_mode_bit_indices for copper of up to 10 Gbit/s, and their speeds.</summary>
    private static readonly (int Bit, int Megabits)[] s_linkModes =
        [(0, 10), (1, 10), (2, 100), (3, 100), (4, 1000), (5, 1000), (12, 10_000), (15, 2500), (47, 2500), (48, 5000)];
}
