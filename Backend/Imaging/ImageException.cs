namespace Bootstrap.Imaging;

/// <summary>An image that cannot be taken; the message is one sentence for the person who offered it.</summary>
public sealed class ImageException : Exception
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
